from __future__ import annotations

import pytest

from carrel.context import UserId
from carrel.errors import LimitExceededError, SettingsError
from carrel.runtime.limits import RunLimits
from carrel.runtime.meters import UserMeters

ANN, BOB = UserId("ann"), UserId("bob")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def meters(clock: Clock | None = None, most_users: int = 10, **limits: int) -> UserMeters:
    return UserMeters(RunLimits(**limits), clock=clock or Clock(), wall=lambda: 7.0, most_users=most_users)


def test_runs_per_minute_are_one_users_and_say_when_to_come_again():
    clock = Clock()
    made = meters(clock, runs_per_minute=2)
    for _ in range(2):
        assert made.of(ANN).run_refusal(0) is None
        made.of(ANN).run_accepted()
    refusal = made.of(ANN).run_refusal(0)
    assert refusal is not None
    assert (refusal.limit, refusal.allowed) == ("runs_per_minute", 2)
    assert refusal.retry_after == pytest.approx(30.0)
    assert made.of(BOB).run_refusal(0) is None
    clock.now += 30
    assert made.of(ANN).run_refusal(0) is None


def test_events_per_second_are_held_back_when_they_are_used_up():
    clock = Clock()
    made = meters(clock, events_per_second=4)
    made.of(ANN).events_written(3)
    made.of(ANN).check_events()
    made.of(ANN).events_written(1)
    with pytest.raises(LimitExceededError, match="events_per_second is 4") as caught:
        made.of(ANN).check_events()
    assert caught.value.retry_after == pytest.approx(0.25)
    made.of(BOB).check_events()
    clock.now += 0.25
    made.of(ANN).check_events()


def test_a_user_for_whom_too_much_is_stored_begins_nothing():
    made = meters(stored_bytes=100)
    made.of(ANN).stored(100)
    with pytest.raises(LimitExceededError, match="stored_bytes is 100") as caught:
        made.of(ANN).check_events()
    assert caught.value.retry_after is None
    made.of(BOB).check_events()
    made.of(ANN).stored(99)
    made.of(ANN).check_events()


def test_a_run_that_the_store_took_shows_that_there_is_space_again():
    made = meters(stored_bytes=100)
    made.of(ANN).stored(100)
    made.of(ANN).run_accepted()
    made.of(ANN).check_events()


def test_an_override_is_one_users_counts_at_once_and_can_be_taken_back():
    made = meters(connections_per_user=2)
    meter = made.of(ANN)
    made.override(ANN, {"connections_per_user": 1})
    assert made.of(ANN) is meter
    assert meter.limits == made.limits_of(ANN) == RunLimits(connections_per_user=1)
    made.check_connection(BOB, 1)
    with pytest.raises(LimitExceededError, match="connections_per_user is 1"):
        made.check_connection(ANN, 1)
    made.override(ANN, {})
    made.check_connection(ANN, 1)
    assert meter.limits is made.limits


def test_an_override_that_is_not_accepted_changes_nothing():
    made = meters()
    made.override(ANN, {"queued_runs": 5})
    with pytest.raises(SettingsError, match="queued_runs"):
        made.override(ANN, {"queued_runs": 0})
    assert made.limits_of(ANN).queued_runs == 5


def test_everything_is_counted_for_its_user_and_for_all():
    made = meters(connections_per_user=1)
    ann, bob = made.of(ANN), made.of(BOB)
    ann.run_accepted()
    bob.run_accepted()
    ann.events_written(3)
    ann.tool_called()
    ann.sub_agent_started()
    ann.run_ended("succeeded", 2.0)
    with pytest.raises(LimitExceededError):
        made.check_connection(ANN, 1)
    mine, others, everybodys = ann.statistics(), bob.statistics(), made.statistics()
    assert (mine.runs_started, others.runs_started, everybodys.runs_started) == (1, 1, 2)
    assert (mine.events, mine.tool_calls, mine.sub_agents, mine.runs_ended) == (3, 1, 1, {"succeeded": 1})
    assert (others.events, others.tool_calls, others.sub_agents, others.runs_ended) == (0, 0, 0, {})
    assert (mine.refused, others.refused, everybodys.refused) == (
        {"connections_per_user": 1},
        {},
        {"connections_per_user": 1},
    )
    assert (mine.since, everybodys.since, everybodys.run_seconds.sum) == (7.0, 7.0, 2.0)


def test_only_who_has_nothing_under_way_is_forgotten():
    clock = Clock()
    made = meters(clock, most_users=2, runs_per_minute=1)
    made.of(ANN).run_accepted()
    made.of(BOB).open_runs = 1
    for number in range(20):
        made.of(UserId(f"visitor-{number}"))
    assert made.of(ANN).run_refusal(0) is not None
    assert made.busy_users() == (BOB,)
    assert len(made._meters) <= 6
    clock.now += 60
    for number in range(20):
        made.of(UserId(f"late-{number}"))
    assert ANN not in made._meters
    assert BOB in made._meters


def test_an_override_outlives_a_forgotten_meter():
    made = meters(most_users=1)
    made.override(ANN, {"queued_runs": 5})
    for name in ("ann", "x", "y", "z"):
        made.of(UserId(name))
    assert ANN not in made._meters
    assert made.of(ANN).limits.queued_runs == 5
