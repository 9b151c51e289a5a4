"""Drops the oldest events of a log, or all of it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from carrel.errors import ConflictError
from carrel.storage.log_writer import Heads

__all__ = ["Bounds", "check_idle", "erase_log", "next_user_over", "trim"]

# So few that the log is not held up: an append waits for at most one such transaction.
_EVENTS_AT_ONCE: Final = 500
_USER_OVER: Final = """
SELECT log_state.user_id FROM log_state
JOIN event_log ON event_log.user_id = log_state.user_id AND event_log.offset = log_state.oldest
WHERE log_state.user_id > ? AND (log_state.top - log_state.oldest >= ? OR event_log.appended_at < ?)
ORDER BY log_state.user_id LIMIT 1
"""
_OLDEST: Final = "SELECT offset, appended_at FROM event_log WHERE user_id = ? AND offset < ? ORDER BY offset LIMIT ?"
_BUSY: Final = """
SELECT 1 FROM open_runs WHERE user_id = ? UNION ALL SELECT 1 FROM runs WHERE user_id = ? AND finished_at IS NULL
"""


class Bounds(NamedTuple):
    """What is kept of each log."""

    max_events: int | None
    """The newest so many; None for all."""
    oldest_kept: float | None
    """What was appended at this POSIX time or later; None for all."""


def next_user_over(bounds: Bounds, after: str, connection: sqlite3.Connection) -> str | None:
    """The first user whose id is above `after` and whose log holds more than it should."""
    most = math.inf if bounds.max_events is None else bounds.max_events
    since = -math.inf if bounds.oldest_kept is None else bounds.oldest_kept
    row = connection.execute(_USER_OVER, (after, most, since)).fetchone()
    return None if row is None else str(row[0])


def trim(bounds: Bounds, user_id: str, connection: sqlite3.Connection, heads: Heads) -> int:
    """Drop the next few events of the user that are out of bounds, in the caller's transaction; how many.

    Only ever the oldest, so that offsets stay without a gap, and none from the first event of an open run on.
    """
    state = heads.get(connection, user_id)
    (first_open,) = connection.execute(
        "SELECT min(first_offset) FROM open_runs WHERE user_id = ?", (user_id,)
    ).fetchone()
    limit = state.top + 1 if first_open is None else first_open
    first_counted = 0 if bounds.max_events is None else state.top - bounds.max_events + 1
    since = -math.inf if bounds.oldest_kept is None else bounds.oldest_kept
    oldest = state.oldest
    for offset, appended_at in connection.execute(_OLDEST, (user_id, limit, _EVENTS_AT_ONCE)):
        if offset >= first_counted and appended_at >= since:
            break
        oldest = offset + 1
    if oldest > state.oldest:
        connection.execute("DELETE FROM event_log WHERE user_id = ? AND offset < ?", (user_id, oldest))
        heads.set(user_id, state._replace(oldest=oldest))
    return oldest - state.oldest


def check_idle(user_id: str, execute: Callable[[str, tuple[str, str]], Any]) -> None:
    """Raise `ConflictError` (`user_busy`) while a run of the user is open; `execute` is that of any connection."""
    if execute(_BUSY, (user_id, user_id)).fetchone() is not None:
        raise ConflictError("user_busy", "a run of this user is still going; cancel it or wait for its end")


def erase_log(user_id: str, connection: sqlite3.Connection, heads: Heads) -> None:
    """Delete the user's log in the caller's transaction; `ConflictError` (`user_busy`) while a run is open."""
    check_idle(user_id, connection.execute)
    connection.execute("DELETE FROM event_log WHERE user_id = ?", (user_id,))
    connection.execute("DELETE FROM log_state WHERE user_id = ?", (user_id,))
    heads.set(user_id, None)
