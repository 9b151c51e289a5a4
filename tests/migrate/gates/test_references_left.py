"""The trigger `references`."""

from __future__ import annotations

from carrel.migrate.gates.evidence import PhaseEvidence
from carrel.migrate.gates.references_left import ReferencesGate
from carrel.migrate.recipe import Gates
from carrel.migrate.references import Reference
from tests.migrate.project import reference

DATA = b"x = Old\nOld()\n"
FIRST, SECOND = (reference("a.py", "first", DATA, start, start + 3) for start in (4, 8))


def reasons(remaining: tuple[Reference, ...], left: dict[str, int]) -> list[tuple[str, tuple[str, ...]]]:
    evidence = PhaseEvidence(settings=Gates(), remaining=remaining, left=left)
    return [(fired.message, fired.details) for fired in ReferencesGate().judge(evidence)]


def test_a_reference_that_nobody_reported_is_named_with_its_place():
    assert reasons((FIRST,), {}) == [("1 reference is left in 1 of the phase's files", ("a.py:1:5: name Old",))]


def test_one_more_than_was_reported_is_a_reason():
    ((message, details),) = reasons((FIRST, SECOND), {"a.py": 1})
    assert message == "1 reference is left in 1 of the phase's files"
    assert len(details) == 2


def test_what_was_reported_is_none():
    assert reasons((FIRST, SECOND), {"a.py": 2}) == []
    assert reasons((), {"a.py": 2}) == []


def test_what_was_reported_of_another_file_does_not_count():
    assert len(reasons((FIRST,), {"b.py": 1})) == 1
