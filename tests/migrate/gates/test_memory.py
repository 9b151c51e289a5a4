"""The trigger `memory`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from carrel.migrate.gates.memory import MemoryGate
from tests.migrate.gates.samples import compared, measured

MB = 1_000_000


def test_more_than_half_as_much_again_is_a_reason_with_both_medians_and_their_noise():
    before, after = (100 * MB, 99 * MB, 101 * MB), (160 * MB, 155 * MB, 170 * MB)
    (reason,) = MemoryGate().judge(compared(measured(peaks=before), measured(peaks=after)))
    assert reason.message == "it takes 1.60 times the memory; 1.5 times are allowed"
    assert reason.details == (
        "before: median 100.0 MB, runs from 99.0 to 101.0 MB",
        "now: median 160.0 MB, runs from 155.0 to 170.0 MB",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param((100 * MB,) * 3, (149 * MB,) * 3, id="within the bound"),
        pytest.param((100 * MB, 100 * MB, 200 * MB), (160 * MB,) * 3, id="one run took as much before"),
        pytest.param((1 * MB,) * 3, (2 * MB,) * 3, id="too little to tell"),
    ],
)
def test_the_bound_and_the_noise_are_no_reason(before: Sequence[int], after: Sequence[int]):
    assert list(MemoryGate().judge(compared(measured(peaks=before), measured(peaks=after)))) == []
