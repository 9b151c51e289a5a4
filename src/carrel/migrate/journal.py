"""What a migration has done, written down before it counts: append-only, on disk line by line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from carrel.errors import MigrationError
from carrel.migrate.history import History
from carrel.migrate.records import Record
from carrel.migrate.replacement import sync_directory

__all__ = ["Journal"]


class Journal:
    """The records of one migration, in a file with one JSON object a line.

    `append` returns when the line is on disk. A line that a kill has cut short was never a record: it is removed when
    the next one is written. Raises `MigrationError` when a line before the last is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def records(self) -> Sequence[Record]:
        """Every record, oldest first; none where there is no journal."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return ()
        return [self._read(number, line) for number, line in enumerate(lines[:-1], 1)]

    def history(self) -> History:
        """Where the migration stands."""
        return History.of(self.records())

    def append(self, record: Record) -> None:
        """Write one record down; raises `OSError` when the disk is full, and nothing of it stays then."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = msgspec.json.encode(record) + b"\n"
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            end = _whole(descriptor)
            os.ftruncate(descriptor, end)
            try:
                _write_all(descriptor, line, end)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, end)
                raise
        finally:
            os.close(descriptor)
        if end == 0:
            sync_directory(self.path.parent)

    def archive(self) -> None:
        """Put the journal away under another name: the migration is over, and a new one would begin anew."""
        number = 1
        while (kept := self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")).exists():
            number += 1
        self.path.replace(kept)
        sync_directory(self.path.parent)

    def _read(self, number: int, line: bytes) -> Record:
        try:
            record: Record = msgspec.json.decode(line, type=Record)
        except msgspec.MsgspecError as error:
            raise MigrationError(
                f"{self.path}:{number} is no record of a migration ({error}); it was written by another version, or "
                "damaged. Finish with that version, or move the file away and undo by hand what it lists"
            ) from None
        return record


def _whole(descriptor: int) -> int:
    """The bytes up to the end of the last whole line."""
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0).rfind(b"\n") + 1


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written
