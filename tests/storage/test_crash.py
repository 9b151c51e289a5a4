"""A process that is killed at any moment loses nothing that it acknowledged, and leaves nothing half-open."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from carrel.events import RunGrammar, decode_event
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from tests.contracts.event_log import everything, offsets
from tests.contracts.subjects import user

ROOT = Path(__file__).parents[2]
ROUNDS = 5
USERS = ("ada", "bob", "cleo")


async def acknowledged_before_the_kill(writer: asyncio.subprocess.Process, count: int) -> list[tuple[str, int, str]]:
    """Let the writer run, kill it when it has acknowledged `count` events, and return all that it acknowledged."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write(b"go\n")
    process = int(await writer.stdout.readline())
    lines = [await writer.stdout.readline() for _ in range(count)]
    os.kill(process, signal.SIGKILL)
    while (line := await writer.stdout.readline()) != b"end\n":
        lines.append(line)
    return [(name, int(offset), epoch) for name, offset, epoch in (line.decode().split() for line in lines)]


def integrity(path: Path) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


def unfinished(path: Path) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT (SELECT count(*) FROM runs WHERE finished_at IS NULL), (SELECT count(*) FROM open_runs)"
        ).fetchone()


def incomplete(bodies: Iterable[bytes]) -> list[str]:
    """Run ids whose grammar is not complete; raises `GrammarError` for one that is broken."""
    grammars: dict[str, RunGrammar] = defaultdict(RunGrammar)
    for body in bodies:
        event = decode_event(body)
        grammars[event.run_id].accept(event)
    return [run_id for run_id, grammar in grammars.items() if not grammar.over]


async def test_killed_at_any_moment_every_acknowledged_event_is_there(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    moments = random.Random()
    recovered = 0
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.storage.crash_writer", str(path)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    for _ in range(ROUNDS):
        acknowledged = await acknowledged_before_the_kill(writer, moments.randrange(1, 150))
        database = await Database.open(path)
        log = await SqliteEventLog.open(database)
        assert await asyncio.to_thread(integrity, path) == "ok"
        for name in USERS:
            events = await everything(log, user(name))
            state = await log.state(user(name))
            mine = [(offset, epoch) for who, offset, epoch in acknowledged if who == name]
            assert offsets(events) == list(range(1, len(events) + 1))
            assert {epoch for _, epoch in mine} <= {state.epoch}
            assert max((offset for offset, _ in mine), default=0) <= state.top
            assert [decode_event(event.body).user_id for event in events] == [name] * len(events)
        recovered += await log.recover()
        for name in USERS:
            assert incomplete(event.body for event in await everything(log, user(name))) == []
        assert await asyncio.to_thread(unfinished, path) == (0, 0)
        assert await log.recover() == 0
        await log.close()
        await database.close()
    assert recovered
    assert writer.stdin is not None
    writer.stdin.close()
    assert await writer.wait() == 0
