"""Tests of carrel.migrate.plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.migrate.outcome import Edited, LeftReference, Refused, Unchanged
from carrel.migrate.plan import phase_seconds, plan_migration
from carrel.migrate.records import PhaseKept, PhaseStarted, Record
from carrel.migrate.references import Scan
from carrel.migrate.workspace import Mark
from tests.migrate.tree import recipe, scan

PHASES = '[[phases]]\nname = "two"\npaths = ["two/**"]\n[[phases]]\nname = "one"\npaths = ["one/**"]\n'
TEXT = "from pkg.engine import Engine\nEngine()\n"
FILES: dict[str, str | bytes] = {"one/a.py": TEXT, "one/b.py": TEXT, "two/c.py": TEXT, "d.py": TEXT}


def outcomes(found: Scan) -> list[Edited | Unchanged | Refused]:
    by_path = {path: [one for one in found.references if one.path == path] for path in FILES}
    left = LeftReference(reference=by_path["one/b.py"][1], reason="it does not fit")
    return [
        Edited(path="one/a.py", before=b"", after=b"", edits=2),
        Edited(path="one/b.py", before=b"", after=b"", edits=1, left=(left,)),
        Refused(path="two/c.py", reason="it would break", references=tuple(by_path["two/c.py"])),
        Unchanged(path="d.py", left=(LeftReference(reference=by_path["d.py"][0], reason="no"),)),
    ]


def test_phases_say_what_is_automatic_and_what_needs_a_person(tmp_path: Path):
    found = scan(tmp_path, FILES, PHASES)
    plan = plan_migration(recipe(PHASES), found, outcomes(found))
    assert [(one.name, one.references, one.automatic, [left.reason for left in one.manual]) for one in plan.phases] == [
        ("two", 2, 0, ["it would break", "it would break"]),
        ("one", 4, 3, ["it does not fit"]),
        ("rest", 2, 1, ["no"]),
    ]
    assert (plan.automatic, plan.manual) == (4, 4)


def test_files_that_others_import_come_first(tmp_path: Path):
    found = scan(tmp_path, FILES, PHASES)
    importers = {"one/b.py": frozenset({"x.py"}), "x.py": frozenset({"y.py", "one/a.py", "one/b.py"})}
    plan = plan_migration(recipe(PHASES), found, (), importers=importers)
    one = plan.phases[1]
    assert one.files == ("one/b.py", "one/a.py")
    assert one.dependents == 2


def test_default_phases_are_ordered_by_risk(tmp_path: Path):
    files: dict[str, str | bytes] = {"e2e/a.py": TEXT, "integration/b.py": TEXT, "lib/c.py": TEXT}
    found = scan(tmp_path, files)
    assert [one.name for one in plan_migration(recipe(), found, ()).phases] == ["integration", "end-to-end", "rest"]
    importers = {"lib/c.py": frozenset({"x.py", "y.py"}), "e2e/a.py": frozenset({"x.py"})}
    plan = plan_migration(recipe(), found, (), importers=importers)
    assert [one.name for one in plan.phases] == ["rest", "end-to-end", "integration"]


@pytest.mark.parametrize(
    ("durations", "seconds", "source"),
    [
        ({}, None, "no run yet"),
        ({"two": [9.0, 4.0]}, 4.0, "the last run of this phase"),
        ({"other": [1.0, 3.0], "third": [8.0]}, 3.0, "the median of 3 runs of other phases"),
    ],
)
def test_the_time_is_estimated_from_runs(tmp_path: Path, durations, seconds, source):
    plan = plan_migration(recipe(PHASES), scan(tmp_path, {"two/c.py": TEXT}, PHASES), (), durations=durations)
    assert [(one.seconds, one.seconds_from) for one in plan.phases] == [(seconds, source)]
    assert plan.seconds == seconds


def test_a_journal_tells_how_long_phases_took():
    mark = Mark(at="c", fingerprint="f")
    records: list[Record] = [
        PhaseStarted(phase="a", mark=mark, gated=True, time=10.0),
        PhaseKept(phase="a", mark=mark, time=12.5),
        PhaseStarted(phase="b", mark=mark, gated=True, time=20.0),
    ]
    assert phase_seconds(records) == {"a": [2.5]}
