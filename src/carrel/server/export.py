"""All that is kept about a user, as a zip file."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import IO, Any, Final

import anyio.to_thread

from carrel.context import UserContext
from carrel.storage.database import Database
from carrel.storage.personal_data import personal_rows, personal_tables

__all__ = ["exported"]

IN_MEMORY_BYTES: Final = 8 * 1024 * 1024
NOTE: Final = (
    "Everything that carrel keeps about you, one file per table, one JSON object per line.\n"
    "event_log.jsonl holds every event as it was sent to you.\n"
)


@asynccontextmanager
async def exported(database: Database, context: UserContext) -> AsyncIterator[IO[bytes]]:
    """A zip file with every row of the user, at its beginning, open as long as the block runs.

    It is on the disk when it is large, and never whole in memory.
    """
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", NOTE)
            for table in personal_tables():
                with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as member:
                    async for rows in personal_rows(database, context, table):
                        await anyio.to_thread.run_sync(_write, member, rows)
        file.seek(0)
        yield file


def _write(member: IO[bytes], rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        member.write(_line(row) + b"\n")


def _line(row: Mapping[str, Any]) -> bytes:
    body = row.get("body")
    if isinstance(body, bytes):
        # An event in its wire form, which is JSON already.
        return body
    return json.dumps(row, ensure_ascii=False).encode()
