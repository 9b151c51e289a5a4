"""The login throttle: who waits, for how long, and in how much memory."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from carrel.errors import ThrottledError
from carrel.server.throttle import ACCOUNT_ATTEMPTS, ADDRESS_ATTEMPTS, LoginThrottle, address_key


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def wait_for(throttle: LoginThrottle, account: str, address: str) -> float:
    try:
        throttle.check(account, address)
    except ThrottledError as error:
        return error.retry_after
    return 0.0


def test_an_account_waits_after_five_failures_from_anywhere() -> None:
    throttle = LoginThrottle(clock=Clock())
    for number in range(ACCOUNT_ATTEMPTS):
        throttle.check("ann", f"10.0.0.{number}")
        throttle.failed("ann", f"10.0.0.{number}")
    assert wait_for(throttle, "ann", "10.9.9.9") == 15.0
    assert wait_for(throttle, "ANN", "10.9.9.9") == 15.0
    assert wait_for(throttle, "bob", "10.9.9.9") == 0.0


def test_an_address_waits_after_twenty_failures_at_any_account() -> None:
    throttle = LoginThrottle(clock=Clock())
    for number in range(ADDRESS_ATTEMPTS):
        throttle.check(f"user{number}", "10.0.0.1")
        throttle.failed(f"user{number}", "10.0.0.1")
    assert wait_for(throttle, "somebody", "10.0.0.1") == 15.0
    assert wait_for(throttle, "somebody", "10.0.0.2") == 0.0


def test_waiting_doubles_up_to_a_quarter_of_an_hour() -> None:
    clock = Clock()
    throttle = LoginThrottle(clock=clock)
    for _ in range(ACCOUNT_ATTEMPTS - 1):
        throttle.failed("ann", "a")
    waits = []
    for _ in range(8):
        throttle.failed("ann", "a")
        waits.append(wait_for(throttle, "ann", "b"))
        clock.now += waits[-1]
        assert wait_for(throttle, "ann", "b") == 0.0
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900]


def test_a_success_clears_the_account_and_not_the_address() -> None:
    throttle = LoginThrottle(clock=Clock())
    for _ in range(ADDRESS_ATTEMPTS):
        throttle.failed("ann", "a")
    throttle.succeeded("ann")
    assert wait_for(throttle, "ann", "b") == 0.0
    assert wait_for(throttle, "ann", "a") > 0


def test_an_hour_forgets() -> None:
    clock = Clock()
    throttle = LoginThrottle(clock=clock)
    for _ in range(30):
        throttle.failed("ann", "a")
    clock.now = 3600.0
    assert wait_for(throttle, "ann", "a") == 0.0


def test_memory_is_bounded() -> None:
    throttle = LoginThrottle(clock=Clock(), max_keys=10)
    for number in range(1000):
        throttle.failed(f"user{number}", f"address{number}")
    assert len(throttle._failures) == 10


def test_very_long_names_are_counted_by_their_beginning() -> None:
    throttle = LoginThrottle(clock=Clock())
    for _ in range(ACCOUNT_ATTEMPTS):
        throttle.failed("x" * 1000, "a")
    assert wait_for(throttle, "x" * 2000, "b") > 0


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002::/64"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_ipv6_customer_is_one_address(host: str | None, key: str) -> None:
    assert address_key(host) == key
