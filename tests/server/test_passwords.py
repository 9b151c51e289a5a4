"""Passwords: hashed, verified, and as slow for nobody's name."""

from __future__ import annotations

import anyio
import pytest
from argon2 import PasswordHasher

from carrel.errors import InputError
from carrel.server.passwords import Passwords, check_new_password


def quick() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class CountingHasher(PasswordHasher):
    verified = 0

    def verify(self, hash, password):
        self.verified += 1
        return super().verify(hash, password)


async def test_the_right_password_matches_and_a_wrong_one_does_not() -> None:
    passwords = Passwords(quick())
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert "correct" not in stored
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "wrong horse")


async def test_no_account_is_verified_too_and_never_matches() -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(hasher)
    assert not await passwords.verify(None, "anything")
    assert not await passwords.verify(None, "an account that does not exist")
    assert hasher.verified == 2


async def test_what_is_no_hash_or_no_text_matches_nothing() -> None:
    passwords = Passwords(quick())
    assert not await passwords.verify("plain text", "plain text")
    assert not await passwords.verify(await passwords.hash("x" * 2000), "x" * 2000)
    assert not await passwords.verify(None, "\ud800")


async def test_hashing_does_not_hold_up_the_loop() -> None:
    passwords = Passwords()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.sleep(0)
            ticks += 1

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        await passwords.hash("correct horse")
        group.cancel_scope.cancel()
    assert ticks > 1


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025, "nul\0inside"])
def test_an_unusable_password_is_refused_without_being_repeated(password: str) -> None:
    with pytest.raises(InputError) as caught:
        check_new_password(password)
    assert not password or password not in str(caught.value)


def test_a_usable_password_is_returned() -> None:
    assert check_new_password("12345678") == "12345678"
