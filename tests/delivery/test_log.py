"""Tests of carrel.delivery.log."""

from __future__ import annotations

import pytest

from carrel.delivery.log import EventLog, LogState
from carrel.testing.event_log import MemoryEventLog

STATE = LogState(epoch="e", oldest=5, top=9, delivered=0)


@pytest.mark.parametrize(
    ("epoch", "offset", "answer"),
    [
        ("e", 9, True),
        ("e", 5, True),
        ("e", 4, True),
        ("e", 3, "trimmed"),
        ("e", 0, "trimmed"),
        ("e", 10, "ahead"),
        ("other", 9, "epoch"),
        ("other", 100, "epoch"),
    ],
)
def test_a_log_reaches_everything_whose_next_event_is_kept(epoch: str, offset: int, answer: bool | str):
    assert STATE.reaches(epoch, offset) == answer


def test_an_empty_log_reaches_its_beginning():
    state = LogState(epoch="e", oldest=1, top=0, delivered=0)
    assert state.reaches("e", 0) is True
    assert state.reaches("e", 1) == "ahead"


def test_a_log_that_was_trimmed_to_nothing_reaches_its_top():
    state = LogState(epoch="e", oldest=10, top=9, delivered=0)
    assert state.reaches("e", 9) is True
    assert state.reaches("e", 8) == "trimmed"


def test_the_log_in_memory_is_a_log():
    log: EventLog = MemoryEventLog()
    assert log
