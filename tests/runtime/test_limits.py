from __future__ import annotations

import pytest

from carrel.errors import LimitExceededError, SettingsError
from carrel.runtime.limits import Allowance, RunLimits


def test_an_allowance_is_used_up():
    allowance = Allowance("tool_calls_per_run", 2)
    allowance.take()
    allowance.take()
    with pytest.raises(LimitExceededError, match="tool_calls_per_run is 2"):
        allowance.take()


@pytest.mark.parametrize("name", ["run_seconds", "grace_seconds", "slots", "concurrent_runs", "queued_runs"])
def test_a_limit_that_is_not_positive_is_named(name: str):
    with pytest.raises(SettingsError, match=name):
        RunLimits(**{name: 0})
