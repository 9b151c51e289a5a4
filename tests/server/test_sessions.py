"""Sessions: signing in tells nothing, refresh tokens are good once, and ended is ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from carrel.errors import AuthenticationError, ThrottledError
from carrel.server.passwords import Passwords
from carrel.server.sessions import Sessions, split_refresh_token
from carrel.server.throttle import ACCOUNT_ATTEMPTS, LoginThrottle
from carrel.server.tokens import TokenSigner
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database

PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
SIGNER = TokenSigner(SecretStr("0123456789abcdef0123456789abcdef"), seconds=900)


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[AccountStore]:
    database = await Database.open(tmp_path / "carrel.db")
    store = AccountStore(database)
    await store.create("ann", await Passwords(PASSWORDS._hasher).hash("correct horse"), [])
    yield store
    await database.close()


@pytest.fixture
async def sessions(accounts: AccountStore) -> Sessions:
    return Sessions(
        accounts=accounts,
        passwords=Passwords(PASSWORDS._hasher),
        signer=SIGNER,
        throttle=LoginThrottle(),
        refresh_seconds=3600,
    )


async def test_the_right_password_opens_a_session(sessions: Sessions, accounts: AccountStore) -> None:
    grant = await sessions.sign_in("Ann", "correct horse", "a")
    claims = SIGNER.verify(grant.access_token)
    assert grant.expires_in == 900
    assert await accounts.by_session(claims.session_id)
    assert split_refresh_token(grant.refresh_token)[0] == claims.session_id


async def test_a_wrong_name_a_wrong_password_and_a_disabled_account_look_the_same(
    sessions: Sessions, accounts: AccountStore
) -> None:
    bob = await accounts.create("bob", await PASSWORDS.hash("correct horse"), [])
    await accounts.set_disabled(bob.user_id, True)
    await accounts.create_external("https://id", "eve", "eve", [])
    said = set()
    for name, password in (("nobody", "x"), ("ann", "x"), ("bob", "correct horse"), ("eve", "")):
        with pytest.raises(AuthenticationError) as caught:
            await sessions.sign_in(name, password, "a")
        said.add(str(caught.value))
    assert len(said) == 1


async def test_guesses_all_at_once_are_throttled_too(sessions: Sessions) -> None:
    outcomes: list[type[Exception]] = []

    async def guess() -> None:
        try:
            await sessions.sign_in("ann", "wrong", "a")
        except AuthenticationError as error:
            outcomes.append(type(error))

    async with anyio.create_task_group() as group:
        for _ in range(40):
            group.start_soon(guess)
    assert outcomes.count(AuthenticationError) <= ACCOUNT_ATTEMPTS + 3
    with pytest.raises(ThrottledError):
        await sessions.sign_in("ann", "correct horse", "b")


async def test_many_right_passwords_at_once_are_not(sessions: Sessions) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(30):
            group.start_soon(sessions.sign_in, "ann", "correct horse", "a")


async def test_a_refresh_token_is_good_once_and_using_it_again_ends_the_session(
    sessions: Sessions, accounts: AccountStore
) -> None:
    first = await sessions.sign_in("ann", "correct horse", "a")
    second = await sessions.refresh(first.refresh_token)
    session_id = SIGNER.verify(second.access_token).session_id
    assert second.refresh_token != first.refresh_token
    assert await sessions.ended_session(first.refresh_token) is None
    with pytest.raises(AuthenticationError):
        await sessions.refresh(first.refresh_token)
    assert not await accounts.by_session(session_id)
    assert await sessions.ended_session(first.refresh_token) == session_id
    with pytest.raises(AuthenticationError):
        await sessions.refresh(second.refresh_token)


async def test_what_a_token_says_of_its_session_is_not_believed(sessions: Sessions, accounts: AccountStore) -> None:
    mine = await sessions.sign_in("ann", "correct horse", "a")
    other = await sessions.sign_in("ann", "correct horse", "a")
    forged = f"{split_refresh_token(other.refresh_token)[0]}.{split_refresh_token(mine.refresh_token)[1]}"
    renewed = await sessions.refresh(forged)
    assert SIGNER.verify(renewed.access_token).session_id == SIGNER.verify(mine.access_token).session_id
    assert await sessions.ended_session(f"{split_refresh_token(other.refresh_token)[0]}.guess") is None


@pytest.mark.parametrize("token", ["", ".", "x", "a.b", "\ud800.\ud800", "\0", "x" * 100_000])
async def test_what_is_no_refresh_token_is_refused(sessions: Sessions, token: str) -> None:
    with pytest.raises(AuthenticationError):
        await sessions.refresh(token)


async def test_ending_by_refresh_token_needs_the_secret(sessions: Sessions, accounts: AccountStore) -> None:
    grant = await sessions.sign_in("ann", "correct horse", "a")
    session_id, _ = split_refresh_token(grant.refresh_token)
    assert await sessions.end_of(f"{session_id}.guess") is None
    assert await accounts.by_session(session_id)
    assert await sessions.end_of(grant.refresh_token) == session_id
    assert not await accounts.by_session(session_id)
    assert await sessions.end_of(grant.refresh_token) == session_id


async def test_an_ended_session_cannot_be_refreshed(sessions: Sessions) -> None:
    grant = await sessions.sign_in("ann", "correct horse", "a")
    await sessions.end(split_refresh_token(grant.refresh_token)[0])
    with pytest.raises(AuthenticationError):
        await sessions.refresh(grant.refresh_token)
