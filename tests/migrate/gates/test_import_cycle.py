"""The trigger `import_cycle`."""

from __future__ import annotations

import pytest

from carrel.migrate.gates.evidence import PhaseEvidence
from carrel.migrate.gates.import_cycle import ImportCycleGate
from carrel.migrate.recipe import Gates

Cycles = tuple[tuple[str, ...], ...]


def details(before: Cycles, after: Cycles) -> list[str]:
    evidence = PhaseEvidence(settings=Gates(), cycles_before=before, cycles_after=after)
    return [line for fired in ImportCycleGate().judge(evidence) for line in fired.details]


def test_a_new_cycle_is_named_by_its_files():
    assert details((), (("a.py", "b.py"),)) == ["a.py <-> b.py"]


def test_a_file_that_joins_a_cycle_is_named():
    assert details((("a.py", "b.py"),), (("a.py", "b.py", "c.py"),)) == ["c.py with the 2 files around a.py"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((("a.py", "b.py"),), (("a.py", "b.py"),)),
        ((("a.py", "b.py", "c.py"),), (("a.py", "b.py"),)),
        ((("a.py", "b.py"),), ()),
    ],
)
def test_a_cycle_that_was_there_or_is_smaller_now_is_no_reason(before: Cycles, after: Cycles):
    assert details(before, after) == []
