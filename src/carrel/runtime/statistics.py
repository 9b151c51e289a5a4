"""What has been counted: as it grows, and as it is shown."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["RUN_SECONDS", "Counts", "Histogram", "UsageStatistics"]

RUN_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)
"""Upper bounds of the buckets that the durations of runs are counted in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How many values there were of each size."""

    bounds: tuple[float, ...]
    """Upper bounds of the buckets, themselves included; what is above the last is in one bucket more."""
    counts: tuple[int, ...]
    """Values in each bucket, one more than `bounds`."""
    sum: float
    """All values together."""

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageStatistics:
    """What was counted, of one user or of all of them, by this process and since it began to count."""

    since: float
    """When it began, in POSIX seconds."""
    runs_started: int
    """Runs that were accepted."""
    runs_ended: Mapping[str, int]
    """By the status they ended with; a status that none ended with is not there."""
    run_seconds: Histogram
    """How long runs took, from their first event to their last."""
    tool_calls: int
    sub_agents: int
    events: int
    """Events that runs wrote."""
    refused: Mapping[str, int]
    """What was refused, by the limit that refused it."""


class Counts:
    """Numbers that only grow; cheap to add to."""

    __slots__ = (
        "_durations",
        "_refused",
        "_run_seconds",
        "_runs_ended",
        "_since",
        "events",
        "runs_started",
        "sub_agents",
        "tool_calls",
    )

    def __init__(self, since: float) -> None:
        self._since = since
        self._runs_ended: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        self._durations = [0] * (len(RUN_SECONDS) + 1)
        self._run_seconds = 0.0
        self.runs_started = 0
        self.tool_calls = 0
        self.sub_agents = 0
        self.events = 0

    def run_ended(self, status: str, seconds: float) -> None:
        """A run ended with `status` after `seconds`."""
        self._runs_ended[status] = self._runs_ended.get(status, 0) + 1
        self._durations[bisect_left(RUN_SECONDS, seconds)] += 1
        self._run_seconds += seconds

    def refuse(self, limit: str) -> None:
        """Something was refused because of `limit`."""
        self._refused[limit] = self._refused.get(limit, 0) + 1

    def statistics(self) -> UsageStatistics:
        """The numbers, now."""
        return UsageStatistics(
            since=self._since,
            runs_started=self.runs_started,
            runs_ended=MappingProxyType(dict(self._runs_ended)),
            run_seconds=Histogram(bounds=RUN_SECONDS, counts=tuple(self._durations), sum=self._run_seconds),
            tool_calls=self.tool_calls,
            sub_agents=self.sub_agents,
            events=self.events,
            refused=MappingProxyType(dict(self._refused)),
        )
