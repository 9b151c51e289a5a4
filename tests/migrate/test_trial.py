"""What is measured before and after a phase; test_runner has each trigger at work."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import GateFailedError
from carrel.migrate.in_place import InPlace
from carrel.migrate.journal import Journal
from carrel.migrate.ledger import Ledger
from carrel.migrate.recipe import Recipe
from carrel.migrate.trial import Trial
from tests.migrate.project import FILES, Said, find, gate, recipe, write


def trial(directory: Path, recipe: Recipe) -> tuple[Trial, Ledger]:
    root = directory / "code"
    write(root, FILES)
    ledger = Ledger(Journal(directory / "journal.jsonl"))
    workspace = InPlace(root, directory / "state", None)
    made = Trial(recipe, workspace, ledger, find=find, checkout=root, state=directory / "state", progress=Said())
    return made, ledger


def test_each_command_is_measured_once_and_anew_when_it_changes(tmp_path: Path) -> None:
    for run in ("true", "true", "test -d pkg"):
        made, ledger = trial(tmp_path, recipe(gates=gate("g", run)))
        made.measure_baseline()
    assert [record.measurement.command for record in ledger.history.baseline.values()] == ["test -d pkg"]
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 2


def test_a_command_that_cannot_judge_is_not_written_down(tmp_path: Path) -> None:
    made, ledger = trial(tmp_path, recipe(gates=gate("g", "false")))
    with pytest.raises(GateFailedError, match="gate 'g': exits with 1"):
        made.measure_baseline()
    assert ledger.history.baseline == {}


def test_cycles_are_looked_for_when_a_trigger_asks(tmp_path: Path) -> None:
    write(tmp_path / "code", {"x.py": "import y\n", "y.py": "import x\n"})
    assert trial(tmp_path, recipe())[0].cycles() == (("x.py", "y.py"),)
    assert trial(tmp_path, recipe(triggers="triggers = []"))[0].cycles() == ()
