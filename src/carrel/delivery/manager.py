"""This process's connections by user: the only code that picks a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from carrel.context import UserId
from carrel.delivery.bridge import WebSocketBridge
from carrel.errors import AuthenticationError, ConflictError, LimitExceededError

__all__ = ["Connection", "ManagerStatistics", "WebSocketManager"]

TICK_SECONDS: Final = 1.0
REMEMBERED_SECONDS: Final = 120.0
"""How long an ended session is remembered: longer than verifying a token can take."""


class Connection(Protocol):
    """One open connection; none of its methods waits or raises."""

    @property
    def user_id(self) -> UserId:
        """Whose it is; asked once it is authenticated."""
        ...

    @property
    def session_id(self) -> str:
        """The sign-in that opened it, or renewed its token last."""
        ...

    def news(self, top: int) -> None:
        """The user's log reaches to `top`."""
        ...

    def tick(self, now: float) -> None:
        """About a second has passed; `now` is the event loop's time."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End it now, whatever it is doing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerStatistics:
    """The connections of this process, now."""

    connections: int
    """Authenticated connections."""
    users: int
    """Users who have any."""
    arriving: int
    """Connections that have not authenticated yet."""


class WebSocketManager:
    """Knows this process's connections, wakes those of one user, and closes them. Used on one event loop.

    A connection arrives, is added once it is authenticated, and is removed when it ends. One clock ticks for all.
    `per_user` is how many a user may have, or what raises `LimitExceededError` for a user who has so many.
    """

    def __init__(self, bridge: WebSocketBridge, *, per_user: int | Callable[[UserId, int], None] = 16) -> None:
        self._per_user = per_user
        self._arriving: set[Connection] = set()
        self._by_user: dict[UserId, tuple[Connection, ...]] = {}
        self._ended_sessions: dict[str, float] = {}
        self._closing: tuple[int, str] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Future[None] | None = None
        self._unsubscribe = bridge.subscribe(self._news)

    def statistics(self) -> ManagerStatistics:
        """How many connections there are."""
        return ManagerStatistics(
            connections=sum(len(connections) for connections in self._by_user.values()),
            users=len(self._by_user),
            arriving=len(self._arriving),
        )

    def connections_of(self, user_id: UserId) -> tuple[Connection, ...]:
        """The user's connections in this process, and nobody else's."""
        return self._by_user.get(user_id, ())

    def sessions(self) -> Mapping[str, UserId]:
        """The sign-ins that have connections in this process, each with its user."""
        return {one.session_id: user_id for user_id, mine in self._by_user.items() for one in mine}

    def arrive(self, connection: Connection) -> None:
        """A connection is open and not authenticated yet: it gets ticks, and nothing of anybody's."""
        self._arriving.add(connection)
        if self._closing is not None:
            connection.close(*self._closing)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def add(self, connection: Connection) -> None:
        """The connection is authenticated; call it again when its token was renewed.

        Raises `AuthenticationError` when its session was ended meanwhile, `LimitExceededError` when the user has as
        many connections as allowed, `ConflictError` when the server is going away.
        """
        if self._closing is not None:
            raise ConflictError("going_away", "the server is going away; connect again")
        if connection.session_id in self._ended_sessions:
            raise AuthenticationError("the session has ended")
        mine = self.connections_of(connection.user_id)
        if connection in mine:
            return
        self.check_limit(connection.user_id)
        self._arriving.discard(connection)
        self._by_user[connection.user_id] = (*mine, connection)

    def check_limit(self, user_id: UserId) -> None:
        """Raise `LimitExceededError` when the user may not open another connection."""
        connections = len(self.connections_of(user_id))
        if not isinstance(self._per_user, int):
            self._per_user(user_id, connections)
        elif connections >= self._per_user:
            raise LimitExceededError("connections_per_user", self._per_user)

    def remove(self, connection: Connection) -> None:
        """The connection is over; nothing happens when it is not known."""
        if connection in self._arriving:
            self._arriving.discard(connection)
        else:
            left = tuple(one for one in self.connections_of(connection.user_id) if one is not connection)
            if left:
                self._by_user[connection.user_id] = left
            else:
                self._by_user.pop(connection.user_id, None)
        if self._empty is not None and not self._empty.done() and not self._all():
            self._empty.set_result(None)

    async def close_session(self, session_id: str, code: int, reason: str) -> None:
        """Close every connection of a sign-in at once, and any whose token is being verified at this moment."""
        now = asyncio.get_running_loop().time()
        self._forget_sessions(now)
        self._ended_sessions[session_id] = now
        for connections in tuple(self._by_user.values()):
            for connection in connections:
                if connection.session_id == session_id:
                    connection.close(code, reason)

    async def close_user(self, user_id: UserId, code: int, reason: str) -> None:
        """Close every connection of a user at once."""
        for connection in self.connections_of(user_id):
            connection.close(code, reason)

    async def close_all(self, code: int, reason: str, seconds: float) -> None:
        """Close everything, refuse what comes, and wait at most `seconds` for the connections to end."""
        self._closing = (code, reason)
        self._unsubscribe()
        connections = self._all()
        for connection in connections:
            connection.close(code, reason)
        if connections:
            self._empty = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._empty,), timeout=seconds)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _all(self) -> tuple[Connection, ...]:
        return (*self._arriving, *(one for connections in self._by_user.values() for one in connections))

    def _news(self, user_id: UserId, top: int) -> None:
        for connection in self.connections_of(user_id):
            connection.news(top)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in self._all():
            connection.tick(now)
        self._forget_sessions(now)
        self._timer = loop.call_later(TICK_SECONDS, self._tick) if self._all() else None

    def _forget_sessions(self, now: float) -> None:
        for session_id, ended_at in tuple(self._ended_sessions.items()):
            if now - ended_at > REMEMBERED_SECONDS:
                del self._ended_sessions[session_id]
