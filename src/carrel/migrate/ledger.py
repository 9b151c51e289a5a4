"""The journal of a migration together with what it amounts to, kept in step."""

from __future__ import annotations

from carrel.migrate.history import History
from carrel.migrate.journal import Journal
from carrel.migrate.records import Record

__all__ = ["Ledger"]


class Ledger:
    """Appends to a journal; `history` always says what the journal does."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.history = journal.history()

    def append(self, record: Record) -> None:
        """Write the record down, on disk, and then take it into account."""
        self._journal.append(record)
        self.history.add(record)

    def close(self) -> None:
        """Put the journal away: everything was taken back, and nothing is left to go on with."""
        self._journal.archive()
        self.history = History()
