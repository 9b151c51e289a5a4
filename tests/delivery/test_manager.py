"""Tests of carrel.delivery.manager."""

from __future__ import annotations

import asyncio

import pytest

from carrel.context import UserId
from carrel.delivery import manager as module
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.manager import WebSocketManager
from carrel.errors import AuthenticationError, ConflictError, LimitExceededError


class FakeConnection:
    """A connection that notes what it is told, and leaves when it is closed, if it is `quick`."""

    def __init__(self, user: str = "ann", session: str = "s-1") -> None:
        self.user_id = UserId(user)
        self.session_id = session
        self.heard: list[int] = []
        self.ticks: list[float] = []
        self.closes: list[tuple[int, str]] = []

    def news(self, top: int) -> None:
        self.heard.append(top)

    def tick(self, now: float) -> None:
        self.ticks.append(now)

    def close(self, code: int, reason: str) -> None:
        self.closes.append((code, reason))


def joined(manager: WebSocketManager, user: str = "ann", session: str = "s-1") -> FakeConnection:
    connection = FakeConnection(user, session)
    manager.arrive(connection)
    manager.add(connection)
    return connection


async def test_news_reaches_every_connection_of_the_user_and_no_other():
    bridge = LocalBridge()
    manager = WebSocketManager(bridge)
    first, second, other = joined(manager), joined(manager, session="s-2"), joined(manager, "bob")
    stranger = FakeConnection()
    manager.arrive(stranger)
    bridge.publish(UserId("ann"), 7)
    bridge.publish(UserId("nobody"), 1)
    assert (first.heard, second.heard, other.heard, stranger.heard) == ([7], [7], [], [])
    await manager.close_all(4000, "over", 0.0)


async def test_the_sessions_are_those_with_connections():
    manager = WebSocketManager(LocalBridge())
    manager.arrive(FakeConnection())
    first = joined(manager)
    joined(manager, "bob", "s-2")
    assert manager.sessions() == {"s-1": "ann", "s-2": "bob"}
    manager.remove(first)
    assert manager.sessions() == {"s-2": "bob"}
    await manager.close_all(4000, "over", 0.0)


async def test_a_removed_connection_hears_nothing_more():
    bridge = LocalBridge()
    manager = WebSocketManager(bridge)
    first, second = joined(manager), joined(manager)
    manager.remove(first)
    manager.remove(first)
    bridge.publish(UserId("ann"), 7)
    assert (first.heard, second.heard) == ([], [7])
    manager.remove(second)
    assert manager.connections_of(UserId("ann")) == ()
    await manager.close_all(4000, "over", 0.0)


async def test_statistics_count_connections_users_and_who_is_arriving():
    manager = WebSocketManager(LocalBridge())
    joined(manager)
    joined(manager)
    joined(manager, "bob")
    arriving = FakeConnection()
    manager.arrive(arriving)
    seen = manager.statistics()
    assert (seen.connections, seen.users, seen.arriving) == (3, 2, 1)
    manager.remove(arriving)
    assert manager.statistics().arriving == 0
    await manager.close_all(4000, "over", 0.0)


async def test_a_user_has_at_most_so_many_connections():
    manager = WebSocketManager(LocalBridge(), per_user=2)
    first = joined(manager)
    joined(manager)
    joined(manager, "bob")
    with pytest.raises(LimitExceededError):
        manager.check_limit(UserId("ann"))
    with pytest.raises(LimitExceededError):
        joined(manager)
    manager.add(first)  # renewing is no new connection
    manager.remove(first)
    joined(manager)
    await manager.close_all(4000, "over", 0.0)


async def test_how_many_connections_a_user_may_have_can_be_asked_each_time():
    allowed = {"ann": 1, "bob": 2}

    def check(user_id: UserId, connections: int) -> None:
        if connections >= allowed[user_id]:
            raise LimitExceededError("connections_per_user", allowed[user_id])

    manager = WebSocketManager(LocalBridge(), per_user=check)
    joined(manager)
    joined(manager, "bob")
    joined(manager, "bob")
    with pytest.raises(LimitExceededError):
        manager.check_limit(UserId("ann"))
    allowed["ann"] = 2
    joined(manager)
    with pytest.raises(LimitExceededError):
        joined(manager)
    await manager.close_all(4000, "over", 0.0)


async def test_the_end_of_a_session_closes_its_connections_and_no_others():
    manager = WebSocketManager(LocalBridge())
    first, second = joined(manager), joined(manager)
    other, foreign = joined(manager, session="s-2"), joined(manager, "bob", session="s-3")
    await manager.close_session("s-1", 4501, "logged out")
    assert first.closes == second.closes == [(4501, "logged out")]
    assert other.closes == foreign.closes == []
    await manager.close_all(4000, "over", 0.0)


async def test_a_session_that_ended_while_its_token_was_verified_gets_no_connection():
    manager = WebSocketManager(LocalBridge())
    connection = FakeConnection()
    manager.arrive(connection)
    await manager.close_session("s-1", 4501, "logged out")
    with pytest.raises(AuthenticationError):
        manager.add(connection)
    await manager.close_all(4000, "over", 0.0)


async def test_an_ended_session_is_remembered_for_a_while():
    manager = WebSocketManager(LocalBridge())
    await manager.close_session("s-1", 4501, "logged out")
    await manager.close_session("s-2", 4501, "logged out")
    with pytest.raises(AuthenticationError):
        joined(manager)
    await manager.close_all(4000, "over", 0.0)


async def test_ended_sessions_are_forgotten_when_no_verification_can_be_that_old(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", -1.0)
    manager = WebSocketManager(LocalBridge())
    await manager.close_session("s-1", 4501, "logged out")
    await manager.close_session("s-2", 4501, "logged out")
    joined(manager)
    await manager.close_all(4000, "over", 0.0)


async def test_closing_a_user_closes_all_of_theirs():
    manager = WebSocketManager(LocalBridge())
    first, second, other = joined(manager), joined(manager, session="s-2"), joined(manager, "bob")
    await manager.close_user(UserId("ann"), 4501, "erased")
    assert first.closes == second.closes == [(4501, "erased")]
    assert other.closes == []
    await manager.close_all(4000, "over", 0.0)


async def test_one_clock_ticks_for_every_connection_while_there_are_any(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)
    manager = WebSocketManager(LocalBridge())
    member, arriving = joined(manager), FakeConnection()
    manager.arrive(arriving)
    while len(member.ticks) < 3 or len(arriving.ticks) < 3:
        await asyncio.sleep(0.001)
    manager.remove(member)
    manager.remove(arriving)
    await asyncio.sleep(0.005)
    ticks = len(member.ticks)
    late = joined(manager)
    while not late.ticks:
        await asyncio.sleep(0.001)
    assert len(member.ticks) == ticks
    await manager.close_all(4000, "over", 0.0)


async def test_going_away_closes_everything_refuses_what_comes_and_waits_until_all_have_left():
    bridge = LocalBridge()
    manager = WebSocketManager(bridge)
    member, arriving = joined(manager), FakeConnection()
    manager.arrive(arriving)
    closing = asyncio.create_task(manager.close_all(4000, "going away", 10.0))
    await asyncio.sleep(0)
    assert member.closes == arriving.closes == [(4000, "going away")]
    with pytest.raises(ConflictError):
        manager.add(arriving)
    late = FakeConnection()
    manager.arrive(late)
    assert late.closes == [(4000, "going away")]
    for connection in (arriving, member):
        assert not closing.done()
        manager.remove(connection)
    manager.remove(late)
    await closing
    bridge.publish(UserId("ann"), 1)
    assert member.heard == []


async def test_going_away_does_not_wait_for_ever():
    bridge = LocalBridge()
    manager = WebSocketManager(bridge)
    left = joined(manager)
    await manager.close_all(4000, "going away", 0.01)
    assert manager.statistics().connections == 1
    bridge.publish(UserId("ann"), 1)
    assert left.heard == []


async def test_going_away_with_nobody_there_is_over_at_once():
    await WebSocketManager(LocalBridge()).close_all(4000, "going away", 10.0)
