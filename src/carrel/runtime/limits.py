"""How much a run, and a user's runs together, may use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from carrel.errors import LimitExceededError, SettingsError

__all__ = ["MOST", "USER_LIMITS", "Allowance", "Rate", "Refuse", "RunLimits", "default_limits", "overridden"]

MOST: Final[Mapping[str, int]] = MappingProxyType(
    {
        "run_seconds": 86_400,
        "grace_seconds": 600,
        "tool_calls_per_run": 1_000_000,
        "sub_agents_per_run": 100_000,
        "tool_threads_per_run": 1_000,
        "concurrent_runs": 10_000,
        "queued_runs": 100_000,
        "runs_per_minute": 1_000_000,
        "events_per_second": 1_000_000,
        "connections_per_user": 10_000,
        "stored_bytes": 2**50,
        "slots": 10_000,
    }
)
"""The most that each limit can be set to: what is above it is a slip of the hand."""

USER_LIMITS: Final = (
    "concurrent_runs",
    "queued_runs",
    "runs_per_minute",
    "run_seconds",
    "tool_calls_per_run",
    "sub_agents_per_run",
    "events_per_second",
    "connections_per_user",
    "stored_bytes",
)
"""The limits that one user can have other than everybody else."""

# A clock's seconds are floating-point numbers: what is closer than this is the same moment.
_SAME_MOMENT: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """What is enforced on runs and on the user who has them.

    Raises `SettingsError` naming a limit that is not a number, not whole where it counts something, not above 0 or
    above `MOST`.
    """

    run_seconds: float = 600.0
    """Wall-clock time of one run, from its start; then it ends as `timed_out`."""
    grace_seconds: float = 5.0
    """How long an agent or a tool may take to stop once it is told to; then it is abandoned."""
    tool_calls_per_run: int = 1_000
    """Tool calls of one run, sub-agents' included."""
    sub_agents_per_run: int = 100
    """Sub-agents of one run, at any depth."""
    tool_threads_per_run: int = 8
    """Threads that the synchronous tools of one run may occupy at once; more calls wait."""
    concurrent_runs: int = 8
    """Runs of one user at once; more are queued."""
    queued_runs: int = 1_000
    """Runs of one user that may wait; one more is refused."""
    runs_per_minute: int = 600
    """Runs that one user may start: so many at once, and then as many a minute, evenly; one more is refused."""
    events_per_second: int = 1_000
    """Events of one user's runs: so many at once, and then as many a second; beyond it an agent can begin nothing."""
    connections_per_user: int = 16
    """WebSocket and SSE connections of one user at once; one more is refused."""
    stored_bytes: int = 2**30
    """What a database keeps for one user; beyond it nothing new is taken."""
    slots: int = 64
    """Runs of all users at once, in this process."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name), whole=field.type == "int")


def _check(name: str, value: object, *, whole: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise SettingsError(name, f"must be a {'whole ' if whole else ''}number, not {type(value).__name__}")
    if not 0 < value <= MOST[name]:  # false for a NaN, too
        raise SettingsError(name, f"must be more than 0 and at most {MOST[name]}")


@cache
def default_limits() -> RunLimits:
    """The limits where none are given."""
    return RunLimits()


def overridden(limits: RunLimits, overrides: Mapping[str, float]) -> RunLimits:
    """`limits` with what is other for one user.

    Raises `SettingsError` naming a limit that is none of `USER_LIMITS` or a value that is not accepted.
    """
    for name in overrides:
        if name not in USER_LIMITS:
            raise SettingsError(name, f"is no limit of a user; there are: {', '.join(USER_LIMITS)}")
    changes: Mapping[str, Any] = overrides  # of the right types, or refused by name: `replace` makes a new one
    return replace(limits, **changes)


Refuse = Callable[[str, float], LimitExceededError]
"""Makes the error for a limit, by name, that so much is allowed by; perhaps it counts it."""


class Allowance:
    """Counts uses of something limited; `refuse` makes the error when nothing is left."""

    __slots__ = ("_allowed", "_limit", "_refuse", "_used")

    def __init__(self, limit: str, allowed: int, refuse: Refuse = LimitExceededError) -> None:
        self._limit = limit
        self._allowed = allowed
        self._refuse = refuse
        self._used = 0

    def take(self) -> None:
        """Use one; raises `LimitExceededError` when none is left."""
        if self._used >= self._allowed:
            raise self._refuse(self._limit, self._allowed)
        self._used += 1


class Rate:
    """How fast something is used: `allowed` at once, and after that one more every `seconds / allowed`.

    The generic cell rate algorithm (ITU-T I.371): one number, the moment from which the whole of it is free again, so
    that `allowed` can be another one at each call. No clock of its own; `now` is in seconds on a monotonic one.
    """

    __slots__ = ("_free_at",)

    def __init__(self) -> None:
        self._free_at = -math.inf

    def wait(self, allowed: float, seconds: float, now: float) -> float:
        """Seconds until one more may be used; 0 when it may be now."""
        wait = self._free_at - now - seconds + seconds / allowed
        return wait if wait > _SAME_MOMENT else 0.0

    def use(self, allowed: float, seconds: float, now: float, number: int = 1) -> float:
        """Use `number` of it, allowed or not: what is used beyond it is waited for later.

        Returns the seconds until all of it is free again; when that is no more than half of them all, the next may be
        used at once.
        """
        free_at = self._free_at
        if free_at < now:  # not max(): this is done for every event
            free_at = now
        free_at += number * seconds / allowed
        self._free_at = free_at
        return free_at - now

    def is_free(self, now: float) -> bool:
        """Whether nothing of it is used any more."""
        return self._free_at <= now
