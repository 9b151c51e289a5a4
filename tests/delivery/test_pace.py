"""Tests of carrel.delivery.pace."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carrel.delivery.pace import MESSAGES_PER_SECOND, MessagePace


def test_the_first_message_is_due_at_once():
    assert MessagePace().due(pressing=False) < 0
    assert MessagePace().due(pressing=True) < 0


def test_messages_are_spaced_evenly_while_nothing_presses():
    pace = MessagePace()
    pace.written(10.0)
    assert pace.due(pressing=False) == 10.05
    assert pace.due(pressing=True) < 0


def test_a_pressing_message_waits_when_the_second_is_full():
    pace = MessagePace()
    for number in range(MESSAGES_PER_SECOND):
        pace.written(10.0 + number / 1_000)
    assert pace.due(pressing=True) == 11.0
    assert pace.due(pressing=False) == 11.0


@given(
    st.lists(
        st.tuples(st.booleans(), st.floats(0, 0.2), st.floats(0, 0.05)), min_size=MESSAGES_PER_SECOND, max_size=120
    )
)
def test_no_second_holds_more_messages_than_allowed(steps: list[tuple[bool, float, float]]):
    pace, now = MessagePace(), 0.0
    appended: list[float] = []
    for pressing, wait, latency in steps:
        now = max(now + wait, pace.due(pressing=pressing))
        appended.append(now)  # what `created_at` may be at the earliest
        now += latency
        pace.written(now)
    for index in range(len(appended) - MESSAGES_PER_SECOND):
        assert appended[index + MESSAGES_PER_SECOND] - appended[index] >= 1.0
