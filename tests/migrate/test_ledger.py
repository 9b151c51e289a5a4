"""Journal and history, in step."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.migrate.journal import Journal
from carrel.migrate.ledger import Ledger
from carrel.migrate.records import Record
from tests.migrate.records import OPENED, OPENING


def test_what_is_appended_is_on_disk_and_counts(tmp_path: Path) -> None:
    ledger = Ledger(Journal(tmp_path / "j.jsonl"))
    ledger.append(OPENING)
    ledger.append(OPENED)
    assert ledger.history.opened == OPENED
    assert Ledger(Journal(tmp_path / "j.jsonl")).history == ledger.history


class FullJournal(Journal):
    def append(self, record: Record) -> None:
        raise OSError(28, "No space left on device")


def test_what_could_not_be_written_down_does_not_count(tmp_path: Path) -> None:
    ledger = Ledger(FullJournal(tmp_path / "j.jsonl"))
    with pytest.raises(OSError, match="No space"):
        ledger.append(OPENING)
    assert ledger.history.opening is None


def test_a_closed_ledger_begins_anew(tmp_path: Path) -> None:
    ledger = Ledger(Journal(tmp_path / "j.jsonl"))
    ledger.append(OPENING)
    ledger.close()
    assert ledger.history.opening is None
    assert not (tmp_path / "j.jsonl").exists()
