"""The bridge: "user U has news", from where events are written to where connections are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from carrel.context import UserId

__all__ = ["LocalBridge", "WebSocketBridge"]


class WebSocketBridge(Protocol):
    """Wakes connections; carries no event. A lost or doubled call delays, and never loses, an event."""

    def publish(self, user_id: UserId, top: int) -> None:
        """Say that the user's log now reaches `top`. Never blocks, never raises."""
        ...

    def subscribe(self, listener: Callable[[UserId, int], None]) -> Callable[[], None]:
        """Call `listener(user_id, top)` on every publish, on the event loop; returns the function that ends it."""
        ...


class LocalBridge:
    """A bridge inside one process."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[UserId, int], None], ...] = ()

    def publish(self, user_id: UserId, top: int) -> None:
        for listener in self._listeners:
            listener(user_id, top)

    def subscribe(self, listener: Callable[[UserId, int], None]) -> Callable[[], None]:
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe
