"""The runtime without the server: one engine for one request of one user, its events in a SQLite log."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from carrel import (
    AgentFactory,
    AgentRegistry,
    AgentRun,
    UserExecutionContext,
    UserExecutionEngine,
    WebSocketEmitter,
)
from carrel.context import RequestId, RunId, ThreadId, UserId
from carrel.delivery.bridge import LocalBridge
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog


async def answer(run: AgentRun) -> str:
    """Answers with what it was asked."""
    await run.think("Thinking about it")
    return f"You asked: {run.input}"


async def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        database = await Database.open(Path(directory) / "carrel.sqlite3")
        log = await SqliteEventLog.open(database)
        context = UserExecutionContext(
            user_id=UserId("ada"), thread_id=ThreadId("t-1"), run_id=RunId("r-1"), request_id=RequestId("q-1")
        )
        async with UserExecutionEngine(
            context=context,
            agent_factory=AgentFactory(AgentRegistry([answer])),
            websocket_emitter=WebSocketEmitter(context, log, LocalBridge()),
        ) as engine:
            result = await engine.execute_agent("answer", "Is anybody here?")
        print(result.status, result.output)
        for event in await log.read(context, after=0, limit=10):
            print(event.offset, event.body.decode()[:60])
        await log.close()
        await database.close()


if __name__ == "__main__":
    asyncio.run(main())
