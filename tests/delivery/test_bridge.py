"""Tests of carrel.delivery.bridge."""

from __future__ import annotations

from carrel.context import UserId
from carrel.delivery.bridge import LocalBridge

ANN = UserId("ann")


def test_every_listener_hears_of_every_publish():
    bridge, heard = LocalBridge(), list[tuple[str, UserId, int]]()
    bridge.subscribe(lambda user, top: heard.append(("first", user, top)))
    bridge.subscribe(lambda user, top: heard.append(("second", user, top)))
    bridge.publish(ANN, 3)
    assert heard == [("first", ANN, 3), ("second", ANN, 3)]


def test_nobody_needs_to_listen():
    LocalBridge().publish(ANN, 1)


def test_an_ended_subscription_hears_nothing_and_ends_no_other():
    bridge, heard = LocalBridge(), list[int]()

    def listener(user: UserId, top: int) -> None:
        heard.append(top)

    end = bridge.subscribe(listener)
    bridge.subscribe(lambda user, top: heard.append(-top))
    end()
    end()
    bridge.publish(ANN, 1)
    assert heard == [-1]


def test_a_listener_may_unsubscribe_while_it_is_called():
    bridge, heard = LocalBridge(), list[int]()

    def once(user: UserId, top: int) -> None:
        heard.append(top)
        end()

    end = bridge.subscribe(once)
    bridge.publish(ANN, 1)
    bridge.publish(ANN, 2)
    assert heard == [1]
