"""Tests of carrel.migrate.reference."""

from __future__ import annotations

from carrel.migrate.reference import Reference, Scan


def at(path: str, phase: str) -> Reference:
    return Reference(
        path=path, line=1, column=0, end_line=1, end_column=1, kind="name", certainty="certain", symbol="a.B",
        resolved_to="a.B", phase=phase, start=0, end=1,
    )  # fmt: skip


def test_a_scan_gives_the_references_of_a_phase_in_their_order():
    scan = Scan(references=(at("a.py", "code"), at("b.py", "tests"), at("c.py", "code")))
    assert [one.path for one in scan.in_phase("code")] == ["a.py", "c.py"]
    assert scan.in_phase("rest") == ()
