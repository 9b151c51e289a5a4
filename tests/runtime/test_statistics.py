from __future__ import annotations

import dataclasses

import pytest

from carrel.runtime.statistics import RUN_SECONDS, Counts


def test_what_is_counted_is_shown_and_does_not_change_afterwards():
    counts = Counts(5.0)
    counts.runs_started += 2
    counts.run_ended("succeeded", 0.02)
    counts.refuse("queued_runs")
    counts.refuse("queued_runs")
    shown = counts.statistics()
    counts.run_ended("failed", 1.0)
    counts.refuse("queued_runs")
    assert (shown.since, shown.runs_started) == (5.0, 2)
    assert shown.runs_ended == {"succeeded": 1}
    assert shown.refused == {"queued_runs": 2}
    assert shown.run_seconds.count == 1
    with pytest.raises(TypeError):
        shown.refused["other"] = 1  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        shown.runs_started = 3  # type: ignore[misc]


def test_a_duration_is_in_the_first_bucket_that_reaches_to_it():
    counts = Counts(0.0)
    for seconds in (0.0, RUN_SECONDS[0], RUN_SECONDS[0] + 0.001, RUN_SECONDS[-1], 10_000.0):
        counts.run_ended("succeeded", seconds)
    shown = counts.statistics().run_seconds
    assert shown.bounds == RUN_SECONDS
    assert (shown.counts[0], shown.counts[1], shown.counts[-2], shown.counts[-1]) == (2, 1, 1, 1)
    assert shown.count == 5
    assert shown.sum == pytest.approx(10_600.021)
