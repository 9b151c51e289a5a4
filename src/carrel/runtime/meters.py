"""What each user may use and has used, over all their connections, tokens and threads together."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from carrel.context import UserId
from carrel.errors import LimitExceededError
from carrel.runtime.limits import Rate, RunLimits, overridden
from carrel.runtime.statistics import Counts, UsageStatistics

__all__ = ["SOON_SECONDS", "UserMeter", "UserMeters"]

SOON_SECONDS: Final = 1.0
"""When to try again where something comes free when other runs or connections end, and nobody knows when that is."""
MINUTE: Final = 60.0
SECOND: Final = 1.0
MOST_USERS: Final = 10_000
"""Users whose meters are kept; beyond it those go who were not heard of for longest and have nothing under way."""


class UserMeter:
    """One user's limits, and what of them is used."""

    __slots__ = (
        "_clock",
        "_events",
        "_full",
        "_of_all",
        "_runs",
        "counts",
        "limits",
        "may_refuse",
        "open_runs",
        "user_id",
    )

    def __init__(
        self, user_id: UserId, limits: RunLimits, counts: Counts, of_all: Counts, clock: Callable[[], float]
    ) -> None:
        self.user_id = user_id
        self.limits = limits
        """What the user may use now; may be replaced at any time."""
        self.counts = counts
        self.open_runs = 0
        """Runs that have begun and are not over."""
        self._of_all = of_all
        self._clock = clock
        self._runs = Rate()
        self._events = Rate()
        self._full = False
        self.may_refuse = False
        """Whether `check_events` may refuse something: it is asked only then, because every event passes here."""

    def refused(self, limit: str) -> None:
        """Something was refused to the user because of `limit`."""
        self.counts.refuse(limit)
        self._of_all.refuse(limit)

    def refuse(self, limit: str, allowed: float, retry_after: float | None = None) -> LimitExceededError:
        """Count that something is refused; the error to raise."""
        self.refused(limit)
        return LimitExceededError(limit, allowed, retry_after)

    def run_refusal(self, waiting: int) -> LimitExceededError | None:
        """Why the user, who has `waiting` runs in the queue, may start no run now; None when they may. Not counted."""
        limits = self.limits
        if waiting >= limits.queued_runs:
            return LimitExceededError("queued_runs", limits.queued_runs, SOON_SECONDS)
        wait = self._runs.wait(limits.runs_per_minute, MINUTE, self._clock())
        return LimitExceededError("runs_per_minute", limits.runs_per_minute, wait) if wait else None

    def run_accepted(self) -> None:
        """A run of the user was recorded, which a full store would have refused."""
        if self._full:
            self.stored(0)
        self._runs.use(self.limits.runs_per_minute, MINUTE, self._clock())
        self.counts.runs_started += 1
        self._of_all.runs_started += 1

    def check_events(self) -> None:
        """Raise `LimitExceededError` when the user's runs may begin nothing now."""
        limits = self.limits
        if self._full:
            raise self.refuse("stored_bytes", limits.stored_bytes)
        wait = self._events.wait(limits.events_per_second, SECOND, self._clock())
        if wait:
            raise self.refuse("events_per_second", limits.events_per_second, wait)

    def events_written(self, number: int) -> None:
        """Runs of the user wrote so many events."""
        used = self._events.use(self.limits.events_per_second, SECOND, self._clock(), number)
        self.may_refuse = used > SECOND / 2 or self._full
        self.counts.events += number
        self._of_all.events += number

    def tool_called(self) -> None:
        """A run of the user called a tool."""
        self.counts.tool_calls += 1
        self._of_all.tool_calls += 1

    def sub_agent_started(self) -> None:
        """A run of the user started a sub-agent."""
        self.counts.sub_agents += 1
        self._of_all.sub_agents += 1

    def run_ended(self, status: str, seconds: float) -> None:
        """A run of the user is over."""
        self.counts.run_ended(status, seconds)
        self._of_all.run_ended(status, seconds)

    def stored(self, size: int) -> None:
        """A database keeps `size` bytes for the user."""
        self._full = size >= self.limits.stored_bytes
        self.may_refuse = True

    def is_idle(self) -> bool:
        """Whether the meter can be forgotten without the user gaining anything."""
        now = self._clock()
        return not self.open_runs and self._runs.is_free(now) and self._events.is_free(now)

    def statistics(self) -> UsageStatistics:
        """What this process has counted of the user."""
        return self.counts.statistics()


class UserMeters:
    """One meter for each user. Used on one event loop.

    `clock` gives monotonic seconds, `wall` POSIX seconds. In bounded memory: somebody who has nothing under way may be
    forgotten when many others come; counting then begins again for them, and `since` says so.
    """

    def __init__(
        self,
        limits: RunLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        most_users: int = MOST_USERS,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._wall = wall
        self._most_users = most_users
        self._of_all = Counts(wall())
        self._meters: OrderedDict[UserId, UserMeter] = OrderedDict()
        self._overridden: dict[UserId, RunLimits] = {}

    @property
    def limits(self) -> RunLimits:
        """What users may use for whom nothing else was set."""
        return self._limits

    def limits_of(self, user_id: UserId) -> RunLimits:
        """What the user may use now."""
        return self._overridden.get(user_id, self._limits)

    def of(self, user_id: UserId) -> UserMeter:
        """The user's meter."""
        meter = self._meters.get(user_id)
        if meter is None:
            meter = UserMeter(user_id, self.limits_of(user_id), Counts(self._wall()), self._of_all, self._clock)
            self._meters[user_id] = meter
            self._forget_idle()
        else:
            self._meters.move_to_end(user_id)
        return meter

    def override(self, user_id: UserId, overrides: Mapping[str, float]) -> None:
        """From now on these limits are other for the user, and all others are not; none for the same as everybody.

        Raises `SettingsError` naming a limit that is none, or a value that is not accepted; nothing is changed then.
        """
        if overrides:
            self._overridden[user_id] = overridden(self._limits, overrides)
        else:
            self._overridden.pop(user_id, None)
        if user_id in self._meters:
            self._meters[user_id].limits = self.limits_of(user_id)

    def check_connection(self, user_id: UserId, connections: int) -> None:
        """Raise `LimitExceededError` when a user who has so many connections may open no other."""
        allowed = self.limits_of(user_id).connections_per_user
        if connections >= allowed:
            raise self.of(user_id).refuse("connections_per_user", allowed, SOON_SECONDS)

    def busy_users(self) -> tuple[UserId, ...]:
        """Users who have a run that has begun and is not over."""
        return tuple(user_id for user_id, meter in self._meters.items() if meter.open_runs)

    def statistics(self) -> UsageStatistics:
        """What this process has counted of all users."""
        return self._of_all.statistics()

    def _forget_idle(self) -> None:
        excess = len(self._meters) - self._most_users
        for _ in range(min(excess, 2)):  # few at a time: one that is not idle goes to the end and is looked at later
            user_id, meter = self._meters.popitem(last=False)
            if not meter.is_idle():
                self._meters[user_id] = meter
