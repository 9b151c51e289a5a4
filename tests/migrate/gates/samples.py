"""Measurements and references to judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from carrel.migrate.gates.evidence import Comparison, PhaseEvidence
from carrel.migrate.gates.measurement import CommandRun, Measurement
from carrel.migrate.recipe import Gates


def measured(
    *,
    codes: Sequence[int] = (0, 0, 0),
    seconds: Sequence[float] = (1.0, 1.0, 1.0),
    peaks: Sequence[int] = (100_000_000, 100_000_000, 100_000_000),
    tests: Mapping[str, str] | None = None,
    timed_out: bool = False,
) -> Measurement:
    runs = tuple(
        CommandRun(exit_code=code, seconds=time, peak_bytes=peak, timed_out=timed_out)
        for code, time, peak in zip(codes, seconds, peaks, strict=True)
    )
    return Measurement(command="run", runs=runs, tests=None if tests is None else dict(tests), log="/log")


def compared(before: Measurement, after: Measurement) -> PhaseEvidence:
    return PhaseEvidence(settings=Gates(), comparisons=(Comparison(gate="suite", before=before, after=after),))
