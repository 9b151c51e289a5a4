"""Phases that were kept are taken back in order, and to the end; test_runner and test_resume have the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import RollbackError
from carrel.migrate.in_place import InPlace
from carrel.migrate.journal import Journal
from carrel.migrate.ledger import Ledger
from carrel.migrate.records import MigrationOpened, MigrationOpening, RollbackStarted
from carrel.migrate.rollback import clear_up, roll_back
from tests.migrate.project import FILES, content, write


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Journal(tmp_path / "journal.jsonl"))


@pytest.fixture
def workspace(tmp_path: Path) -> InPlace:
    write(tmp_path / "code", FILES)
    return InPlace(tmp_path / "code", tmp_path / "state", None)


def test_nothing_is_taken_back_before_anything_is_begun(ledger: Ledger, workspace: InPlace) -> None:
    with pytest.raises(RollbackError, match="nothing is applied"):
        roll_back(workspace, ledger, "")
    assert not clear_up(workspace, ledger)


def test_an_interrupted_rollback_is_finished_where_it_was_going(ledger: Ledger, workspace: InPlace) -> None:
    before, mark = content(workspace.root), workspace.mark()
    ledger.append(MigrationOpening(mode="in place", root="r", recipe="x", place="r"))
    ledger.append(MigrationOpened(mark=mark))
    ledger.append(RollbackStarted(to="", mark=mark))
    done = roll_back(workspace, ledger, "elsewhere")
    assert (done.to, done.mark) == ("", mark)
    assert content(workspace.root) == before
    assert clear_up(workspace, ledger)
    assert ledger.history.opening is None
