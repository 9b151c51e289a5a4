from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import pytest

from carrel.errors import LimitExceededError, SettingsError
from carrel.runtime.limits import MOST, USER_LIMITS, Allowance, Rate, RunLimits, overridden

NAMES = tuple(field.name for field in fields(RunLimits))


def test_an_allowance_is_used_up():
    allowance = Allowance("tool_calls_per_run", 2)
    allowance.take()
    allowance.take()
    with pytest.raises(LimitExceededError, match="tool_calls_per_run is 2"):
        allowance.take()


@pytest.mark.parametrize("value", [0, -1, True, False, math.nan, math.inf, -math.inf, 10**18, "5", None, 1j])
@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_is_none_is_refused_with_the_limits_name(name: str, value: Any):
    with pytest.raises(SettingsError) as caught:
        RunLimits(**{name: value})
    assert caught.value.setting == name


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("_seconds")])
def test_what_is_counted_is_whole(name: str):
    value: Any = 2.5
    with pytest.raises(SettingsError, match=f"{name}: must be a whole number"):
        RunLimits(**{name: value})


def test_every_limit_has_a_most_that_it_can_be():
    assert set(MOST) == set(NAMES)
    most: dict[str, Any] = dict(MOST)
    assert RunLimits(**most).slots == MOST["slots"]


def test_a_user_can_have_other_limits_and_none_that_is_the_servers():
    limits = overridden(RunLimits(), {"concurrent_runs": 2, "run_seconds": 1.5})
    assert limits == RunLimits(concurrent_runs=2, run_seconds=1.5)
    assert set(USER_LIMITS) < set(NAMES)
    with pytest.raises(SettingsError, match="slots: is no limit of a user; there are: concurrent_runs"):
        overridden(RunLimits(), {"slots": 1})
    with pytest.raises(SettingsError, match="queued_runs: must be more than 0"):
        overridden(RunLimits(), {"queued_runs": -3})


@pytest.mark.parametrize("now", [0.0, 1e9])
def test_a_rate_gives_all_at_once_and_then_evenly(now: float):
    rate = Rate()
    for _ in range(3):
        assert rate.wait(3, 60.0, now) == 0
        rate.use(3, 60.0, now)
    assert rate.wait(3, 60.0, now) == pytest.approx(20.0)
    assert rate.wait(3, 60.0, now + 5) == pytest.approx(15.0)
    assert rate.wait(3, 60.0, now + 20) == 0
    rate.use(3, 60.0, now + 20)
    assert rate.wait(3, 60.0, now + 20) == pytest.approx(20.0)
    assert not rate.is_free(now + 79)
    assert rate.is_free(now + 81)
    assert rate.wait(3, 60.0, now + 81) == 0


def test_a_rate_that_is_raised_or_lowered_counts_from_now_on():
    rate = Rate()
    rate.use(1, 60.0, 0.0)
    assert rate.wait(1, 60.0, 0.0) == pytest.approx(60.0)
    assert rate.wait(60, 60.0, 2.0) == 0
    assert rate.wait(1, 60.0, 2.0) == pytest.approx(58.0)


def test_what_is_used_beyond_a_rate_is_waited_for():
    rate = Rate()
    for _ in range(20):
        rate.use(10, 1.0, 0.0)
    assert rate.wait(10, 1.0, 0.0) == pytest.approx(1.1)


@pytest.mark.parametrize("allowed", [1, 7, 600, 1_000_000])
def test_a_rate_is_kept_in_the_long_run_whoever_asks_how_often(allowed: int):
    rate = Rate()
    used, now = 0, 0.0
    while used < 3 * min(allowed, 1000):
        wait = rate.wait(allowed, 60.0, now)
        if wait:
            now += wait
        rate.use(allowed, 60.0, now)
        used += 1
    assert used <= allowed + allowed * now / 60.0 + 0.001
