"""Tests of carrel.migrate.progress."""

from __future__ import annotations

from pathlib import Path

from carrel.migrate.progress import migration_status
from tests.migrate.tree import recipe, scan

PHASES = '[[phases]]\nname = "one"\npaths = ["one/**"]\n[[phases]]\nname = "two"\npaths = ["two/**"]\n'


def test_what_is_left_is_told_by_phase(tmp_path: Path):
    text = "from pkg.engine import Engine as E\nE()\n"
    found = scan(tmp_path, {"two/a.py": text, "two/b.py": text, "c.py": text}, PHASES)
    status = migration_status(recipe(PHASES), found, ["one"])
    assert [(one.name, one.applied, one.references, one.files) for one in status.phases] == [
        ("one", True, 0, 0),
        ("two", False, 4, 2),
        ("rest", False, 2, 1),
    ]
    assert (status.references, status.files, status.done) == (6, 3, False)
    assert [(one.path, one.line, one.written) for one in status.importers] == [
        (path, 1, "pkg.engine.Engine") for path in ("c.py", "two/a.py", "two/b.py")
    ]


def test_a_migration_without_references_is_done(tmp_path: Path):
    status = migration_status(recipe(PHASES), scan(tmp_path, {}, PHASES))
    assert status.done
    assert [one.name for one in status.phases] == ["one", "two"]
