"""How often a run may write pieces of its answer."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["MESSAGES_PER_SECOND", "MessagePace"]

MESSAGES_PER_SECOND: Final = 20


class MessagePace:
    """At most `MESSAGES_PER_SECOND` messages in any second, evenly spaced where nothing presses. No clock of its own.

    Times are seconds on one monotonic clock.
    """

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: deque[float] = deque(maxlen=MESSAGES_PER_SECOND)

    def due(self, *, pressing: bool) -> float:
        """When the next message may be written; `pressing` when another event waits behind it."""
        if not self._written:
            return float("-inf")
        full = self._written[0] + 1.0 if len(self._written) == MESSAGES_PER_SECOND else float("-inf")
        return full if pressing else max(full, self._written[-1] + 1.0 / MESSAGES_PER_SECOND)

    def written(self, now: float) -> None:
        """A message is durable since `now`: counted from here, a slow log cannot bring two seconds' worth together."""
        self._written.append(now)
