"""What is looked up again and again."""

from __future__ import annotations

import asyncio

import pytest

from carrel.errors import StorageError
from carrel.server import watching
from carrel.server.watching import keep_looking


async def test_a_database_that_cannot_be_read_does_not_end_the_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.0)
    looked = 0
    seen_again = asyncio.Event()

    async def look() -> None:
        nonlocal looked
        looked += 1
        if looked == 1:
            raise StorageError("the database is locked")
        seen_again.set()

    task = asyncio.create_task(keep_looking(look, "limits"))
    await seen_again.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
