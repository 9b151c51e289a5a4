"""Passwords: argon2id, in worker threads, and as slow for a name that nobody has."""

from __future__ import annotations

from typing import Final

import anyio.to_thread
from anyio import CapacityLimiter
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from carrel.errors import InputError

__all__ = ["Passwords", "check_new_password"]

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 1024
PARALLEL: Final = 4
"""Passwords hashed at the same time; each takes 64 MiB."""


def check_new_password(password: str) -> str:
    """The password, when it may be set: 8 to 1,024 characters; raises `InputError`, which does not contain it."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InputError("password", f"must have {MIN_LENGTH} to {MAX_LENGTH} characters")
    if "\0" in password:
        raise InputError("password", "contains a NUL character")
    return password


class Passwords:
    """Hashes and verifies passwords without holding up the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter: CapacityLimiter | None = None
        # Of a password that nobody has; verified against when there is no account, so that it takes as long.
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """What is stored of a password."""
        return await anyio.to_thread.run_sync(self._hasher.hash, password, limiter=self._threads())

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one that `stored` was made from; takes the same time when `stored` is None."""
        return await anyio.to_thread.run_sync(self._verify, stored, password, limiter=self._threads())

    def _threads(self) -> CapacityLimiter:
        # A limiter belongs to the event loop it is first used in.
        if self._limiter is None:
            self._limiter = CapacityLimiter(PARALLEL)
        return self._limiter

    def _verify(self, stored: str | None, password: str) -> bool:
        if self._dummy is None:
            self._dummy = self._hasher.hash("an account that does not exist")
        try:
            matches = self._hasher.verify(stored or self._dummy, password[: MAX_LENGTH + 1])
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False
        return matches and stored is not None
