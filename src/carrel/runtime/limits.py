"""How much a run, and a user's runs together, may use."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

from carrel.errors import LimitExceededError, SettingsError

__all__ = ["Allowance", "RunLimits", "default_limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """What is enforced on runs; raises `SettingsError` naming a limit that is not positive."""

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
    slots: int = 64
    """Runs of all users at once, in this process."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise SettingsError(field.name, "must be greater than 0")


@cache
def default_limits() -> RunLimits:
    """The limits where none are given."""
    return RunLimits()


class Allowance:
    """Counts uses of something limited."""

    __slots__ = ("_allowed", "_limit", "_used")

    def __init__(self, limit: str, allowed: int) -> None:
        self._limit = limit
        self._allowed = allowed
        self._used = 0

    def take(self) -> None:
        """Use one; raises `LimitExceededError` when none is left."""
        if self._used >= self._allowed:
            raise LimitExceededError(self._limit, self._allowed)
        self._used += 1
