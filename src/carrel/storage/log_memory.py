"""The newest events of the users who are active now, so that clients who follow do not read the disk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from carrel.delivery.log import LoggedEvent, LogState

__all__ = ["LogMemory", "LogMemoryStatistics"]

# What one connection may have waiting (protocol, section 2): whoever is further behind reads the disk.
_USER_EVENTS: Final = 512
_USER_BYTES: Final = 1024 * 1024


class LogMemoryStatistics(NamedTuple):
    """What is held in memory now."""

    users: int
    events: int
    size: int
    """Bytes of event bodies."""


@dataclass(slots=True)
class _UserMemory:
    state: LogState
    events: list[LoggedEvent] = field(default_factory=list)
    size: int = 0


class LogMemory:
    """States and tails of logs, of the users seen last; belongs to the event loop's thread.

    Holds nothing that is not in the database. Bounded by `users` and by `size` bytes of event bodies: the user who was
    not looked at for longest is forgotten first, and is read from the database when looked at again.
    """

    def __init__(self, *, users: int, size: int) -> None:
        self._users: OrderedDict[str, _UserMemory] = OrderedDict()
        self._most_users = users
        self._most_size = size
        self._size = 0

    def state(self, user_id: str) -> LogState | None:
        """The user's state, or None when it is not held."""
        entry = self._users.get(user_id)
        if entry is None:
            return None
        self._users.move_to_end(user_id)
        return entry.state

    def events(self, user_id: str, after: int, limit: int) -> Sequence[LoggedEvent] | None:
        """Up to `limit` events after offset `after`; None when there are none, or they are not all held."""
        entry = self._users.get(user_id)
        if entry is None or not entry.events:
            return None
        self._users.move_to_end(user_id)
        start = after + 1 - entry.events[0].offset
        # Retention drops from the log what is still here: it must not be told any more.
        kept = start >= 0 and after >= entry.state.oldest - 1
        return entry.events[start : start + limit] or None if kept else None

    def update(self, user_id: str, state: LogState, events: Sequence[LoggedEvent] = ()) -> None:
        """Take over what was committed: the new state, and the events that end at its top."""
        entry = self._users.get(user_id)
        if entry is None or entry.state.epoch != state.epoch:
            self.forget(user_id)
            entry = self._users[user_id] = _UserMemory(state)
        # A watermark reaches the disk later than memory.
        delivered = entry.state.delivered
        entry.state = state._replace(delivered=delivered) if delivered > state.delivered else state
        self._users.move_to_end(user_id)
        if events:
            self._extend(entry, events)
        while self._size > self._most_size or len(self._users) > self._most_users:
            self.forget(next(iter(self._users)))

    def acknowledge(self, user_id: str, offset: int) -> None:
        """Move the watermark up, if the user is held and it is lower."""
        entry = self._users.get(user_id)
        if entry is not None and offset > entry.state.delivered:
            entry.state = entry.state._replace(delivered=offset)

    def forget(self, user_id: str) -> None:
        """Hold nothing of the user any more."""
        entry = self._users.pop(user_id, None)
        if entry is not None:
            self._size -= entry.size

    def statistics(self) -> LogMemoryStatistics:
        """Counts of what is held."""
        return LogMemoryStatistics(
            len(self._users), sum(len(entry.events) for entry in self._users.values()), self._size
        )

    def _extend(self, entry: _UserMemory, events: Sequence[LoggedEvent]) -> None:
        self._size -= entry.size
        entry.events.extend(events)
        entry.size += sum(len(event.body) for event in events)
        # Not at every event: dropping from the front of a list moves the rest.
        if len(entry.events) > 2 * _USER_EVENTS or entry.size > 2 * _USER_BYTES:
            kept, size = 0, 0
            for event in reversed(entry.events):
                if kept == _USER_EVENTS or size + len(event.body) > _USER_BYTES:
                    break
                kept, size = kept + 1, size + len(event.body)
            del entry.events[: len(entry.events) - kept]
            entry.size = size
        self._size += entry.size
