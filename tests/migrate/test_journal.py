"""Append-only, on disk line by line, and never half a record."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.journal import Journal
from tests.migrate.records import ALL, KEPT, OPENED, OPENING


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.jsonl")


def test_records_come_back_in_order(journal: Journal) -> None:
    assert list(journal.records()) == []
    for record in ALL:
        journal.append(record)
    assert list(Journal(journal.path).records()) == list(ALL)
    assert journal.history().over is not None


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_line_that_a_kill_has_cut_short_was_never_a_record(journal: Journal, cut: int) -> None:
    journal.append(OPENED)
    journal.append(OPENING)
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    assert list(journal.records()) == [OPENED]
    journal.append(KEPT)
    assert list(journal.records()) == [OPENED, KEPT]
    assert journal.path.read_bytes().endswith(b"}\n")


def test_each_line_is_on_disk_before_append_returns(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    journal.append(OPENING)
    assert synced == [str(journal.path), str(journal.path.parent)]
    journal.append(OPENED)
    assert synced[2:] == [str(journal.path)]


def test_a_full_disk_leaves_no_half_of_a_record(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(OPENING)
    pwrite = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        if len(data) < 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(descriptor, data[: len(data) // 2], offset)

    monkeypatch.setattr(os, "pwrite", full)
    before = journal.path.read_bytes()
    with pytest.raises(OSError, match="No space left"):
        journal.append(OPENED)
    assert journal.path.read_bytes() == before


def test_damage_before_the_last_line_is_told_with_its_line(journal: Journal) -> None:
    journal.append(OPENING)
    journal.path.write_bytes(journal.path.read_bytes() + b'{"step": "unheard of"}\n')
    with pytest.raises(MigrationError, match=r"journal.jsonl:2 is no record of a migration"):
        journal.records()


def test_archives_never_replace_each_other(journal: Journal) -> None:
    for _ in range(2):
        journal.append(OPENING)
        journal.archive()
    assert sorted(path.name for path in journal.path.parent.iterdir()) == ["journal-1.jsonl", "journal-2.jsonl"]
    assert list(journal.records()) == []
