"""The brake on guessing passwords: per account and per address, in bounded memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from carrel.errors import ThrottledError

__all__ = ["LoginThrottle", "address_key"]

ACCOUNT_ATTEMPTS: Final = 5
ADDRESS_ATTEMPTS: Final = 20
FIRST_WAIT_SECONDS: Final = 15.0
LONGEST_WAIT_SECONDS: Final = 900.0
FORGET_SECONDS: Final = 3600.0
MAX_KEYS: Final = 20_000


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0


class LoginThrottle:
    """Counts failures and makes whoever has too many of them wait.

    After 5 failures for an account, or 20 from an address, each further attempt must wait: 15 s, doubled each time up
    to 15 minutes. A success clears the account; an hour without an attempt forgets. `clock` is monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def check(self, account: str, address: str) -> None:
        """Raise `ThrottledError` while the account or the address has to wait."""
        now = self._clock()
        wait = max(
            self._wait(("account", _account_key(account)), ACCOUNT_ATTEMPTS, now),
            self._wait(("address", address), ADDRESS_ATTEMPTS, now),
        )
        if wait > 0:
            raise ThrottledError(wait)

    def failed(self, account: str, address: str) -> None:
        """Count a wrong attempt."""
        for key in (("account", _account_key(account)), ("address", address)):
            failures = self._failures.setdefault(key, _Failures())
            failures.count, failures.last = failures.count + 1, self._clock()
            self._failures.move_to_end(key)
        while len(self._failures) > self._max_keys:
            self._failures.popitem(last=False)

    def succeeded(self, account: str) -> None:
        """The attempt was right: the account starts afresh. The address does not, it may have guessed at others."""
        self._failures.pop(("account", _account_key(account)), None)

    def _wait(self, key: tuple[str, str], allowed: int, now: float) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        passed = now - failures.last
        if passed >= FORGET_SECONDS:
            del self._failures[key]
            return 0.0
        if failures.count < allowed:
            return 0.0
        # The exponent is bounded, so that an attacker's patience does not become a huge number.
        doublings = min(failures.count - allowed, 10)
        return float(min(FIRST_WAIT_SECONDS * 2**doublings, LONGEST_WAIT_SECONDS)) - passed


def _account_key(name: str) -> str:
    return name.casefold()[:128]


def address_key(host: str | None) -> str:
    """What an address is counted as: an IPv6 customer has a /64, so those count as one."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return address.exploded[:19] + "::/64"
    return str(address)
