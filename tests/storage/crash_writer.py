"""Writes runs until it is killed, and says on its output what was acknowledged: `user offset epoch`.

For every line of input a fresh process is forked off this one, which has imported everything already: it says its id
first, and this one says `end` when it is gone.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from carrel.context import UserExecutionContext
from carrel.events import EventDraft
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.runs import SqliteRunStore
from tests.contracts.subjects import run_context, started, whole_run


async def write(log: SqliteEventLog, runs: SqliteRunStore, name: str) -> None:
    async def append(context: UserExecutionContext, *drafts: EventDraft) -> None:
        logged = await log.append(context, drafts)
        epoch = (await log.state(context)).epoch
        for event in logged:
            os.write(1, f"{name} {event.offset} {epoch}\n".encode())

    while True:
        context = run_context(name)
        await runs.create_run(context, agent="agent", input="why?", idempotency_key=None, new_thread_title="t")
        first, *middle, last = whole_run(context)
        await append(context, first)
        child = context.child(parent_agent="agent", agent="other")
        await append(context, started(child), *(draft for draft in whole_run(child)[1:]))
        for draft in middle:
            await append(context, draft)
        await append(context, last)


async def main(path: Path) -> None:
    database = await Database.open(path)
    log = await SqliteEventLog.open(database)
    runs = SqliteRunStore(database)
    await asyncio.gather(*(write(log, runs, name) for name in ("ada", "ada", "bob", "cleo")))


if __name__ == "__main__":
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                os.write(1, f"{os.getpid()}\n".encode())
                asyncio.run(main(Path(sys.argv[1])))
            finally:
                os._exit(1)  # nobody reads any more: the test is over
        os.waitpid(child, 0)
        os.write(1, b"end\n")
