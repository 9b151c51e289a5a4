"""The trigger `slower`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from carrel.migrate.gates.slower import SlowerGate
from tests.migrate.gates.samples import compared, measured


def fired(before: Sequence[float], after: Sequence[float]) -> list[str]:
    evidence = compared(measured(seconds=before), measured(seconds=after))
    return [one.message for one in SlowerGate().judge(evidence)]


def test_more_than_a_fifth_slower_is_a_reason_with_both_medians_and_their_noise():
    (reason,) = SlowerGate().judge(compared(measured(seconds=(1.0, 0.9, 1.1)), measured(seconds=(1.3, 1.5, 1.2))))
    assert reason.message == "it takes 1.30 times as long; 1.2 times are allowed"
    assert reason.details == (
        "before: median 1.00 s, runs from 0.90 to 1.10 s",
        "now: median 1.30 s, runs from 1.20 to 1.50 s",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param((1.0, 1.0, 1.0), (1.19, 1.19, 1.19), id="within the bound"),
        pytest.param((1.0, 1.0, 1.4), (1.3, 1.5, 1.3), id="one run was as slow before"),
        pytest.param((0.02, 0.02, 0.02), (0.09, 0.09, 0.09), id="the time to start a process"),
        pytest.param((1.0, 1.0, 1.0), (0.5, 0.5, 0.5), id="faster"),
    ],
)
def test_the_bound_the_noise_and_start_up_are_no_reason(before: Sequence[float], after: Sequence[float]):
    assert fired(before, after) == []
