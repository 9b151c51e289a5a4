"""Accounts, sessions and refresh tokens."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from sqlalchemy import update

from carrel.context import UserId
from carrel.errors import AuthenticationError, ConflictError, InputError, NotFoundError
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from carrel.storage.schema.tables import users

LATER = 2_000.0


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(database: Database, clock: Clock) -> AccountStore:
    return AccountStore(database, clock=clock)


async def test_a_created_account_is_found_by_name_and_id(accounts: AccountStore) -> None:
    ada = await accounts.create("Ada", "hash", {"usage:read", "usage:write"}, demo=True)
    assert ada.permissions == frozenset({"usage:read", "usage:write"})
    assert (ada.password_hash, ada.disabled, ada.demo) == ("hash", False, True)
    assert ada.created_at == "1970-01-01T00:16:40.000000Z"
    assert await accounts.by_name("Ada") == ada
    assert await accounts.by_id(ada.user_id) == ada


async def test_who_does_not_exist_is_none(accounts: AccountStore) -> None:
    assert await accounts.by_name("nobody") is None
    assert await accounts.by_id(UserId("nobody")) is None
    assert await accounts.by_external("https://issuer", "nobody") is None


@pytest.mark.parametrize("again", ["ada", "ADA", "\uff21da"])
async def test_a_name_is_taken_whatever_its_case_or_width(accounts: AccountStore, again: str) -> None:
    ada = await accounts.create("Ada", "hash", ())
    with pytest.raises(ConflictError) as caught:
        await accounts.create(again, "hash", ())
    assert caught.value.code == "name_taken"
    assert await accounts.by_name(again) == ada


async def test_names_are_compared_beyond_ascii(accounts: AccountStore) -> None:
    await accounts.create("\u00d6tker", "hash", ())
    with pytest.raises(ConflictError):
        await accounts.create("o\u0308TKER", "hash", ())


async def test_of_two_who_want_a_name_at_once_one_gets_it(accounts: AccountStore) -> None:
    results = await asyncio.gather(
        *(accounts.create(name, "hash", ()) for name in ("ada", "Ada", "ADA")), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Account", "ConflictError", "ConflictError"]


@pytest.mark.parametrize("name", ["", " ", " ada", "ada\n", "a\x00da", "x" * 129])
async def test_a_name_must_be_readable(accounts: AccountStore, name: str) -> None:
    with pytest.raises(InputError, match="name"):
        await accounts.create(name, "hash", ())


async def test_accounts_are_listed_by_name(accounts: AccountStore) -> None:
    for name in ("cleo", "Bob", "ada"):
        await accounts.create(name, "hash", ())
    assert [account.name for account in await accounts.list_accounts()] == ["ada", "Bob", "cleo"]


async def test_an_external_account_is_found_by_issuer_and_subject(accounts: AccountStore) -> None:
    ada = await accounts.create_external("https://one", "42", "ada", {"usage:read"})
    assert ada.password_hash is None
    assert await accounts.by_external("https://one", "42") == ada
    assert await accounts.by_external("https://two", "42") is None


async def test_two_first_visits_of_one_person_make_one_account(accounts: AccountStore) -> None:
    first, second = await asyncio.gather(
        accounts.create_external("https://one", "42", "ada", ()),
        accounts.create_external("https://one", "42", "ada", ()),
    )
    assert first == second


async def test_an_external_account_does_not_take_over_a_name(accounts: AccountStore) -> None:
    await accounts.create("ada", "hash", ())
    with pytest.raises(ConflictError):
        await accounts.create_external("https://one", "42", "Ada", ())


async def test_a_session_is_active_until_it_is_revoked(accounts: AccountStore) -> None:
    ada = await accounts.create("ada", "hash", ())
    session = await accounts.open_session(ada.user_id, "token", LATER)
    other = await accounts.open_session(ada.user_id, "another", LATER)
    assert await accounts.by_session(session) == ada
    await accounts.revoke_session(session)
    await accounts.revoke_session(session)
    assert await accounts.by_session(session) is None
    assert await accounts.by_session(other) == ada
    assert await accounts.by_session("never-opened") is None


async def test_a_token_is_exchanged_for_a_new_one(accounts: AccountStore) -> None:
    ada = await accounts.create("ada", "hash", {"usage:read"})
    session = await accounts.open_session(ada.user_id, "one", LATER)
    assert await accounts.rotate("one", "two", LATER) == (ada, session)
    assert await accounts.rotate("two", "three", LATER) == (ada, session)


async def test_a_token_used_twice_ends_its_session_and_no_other(accounts: AccountStore) -> None:
    ada = await accounts.create("ada", "hash", ())
    session = await accounts.open_session(ada.user_id, "one", LATER)
    other = await accounts.open_session(ada.user_id, "other", LATER)
    await accounts.rotate("one", "two", LATER)
    with pytest.raises(AuthenticationError, match="used before"):
        await accounts.rotate("one", "stolen", LATER)
    assert await accounts.by_session(session) is None
    assert await accounts.by_session(other) == ada
    for token in ("two", "stolen"):
        with pytest.raises(AuthenticationError):
            await accounts.rotate(token, "three", LATER)


async def test_of_two_who_use_a_token_at_once_one_wins_and_the_session_ends(accounts: AccountStore) -> None:
    ada = await accounts.create("ada", "hash", ())
    session = await accounts.open_session(ada.user_id, "one", LATER)
    results = await asyncio.gather(
        accounts.rotate("one", "two", LATER), accounts.rotate("one", "three", LATER), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["AuthenticationError", "tuple"]
    assert await accounts.by_session(session) is None


async def test_unknown_expired_revoked_and_disabled_are_refused(accounts: AccountStore, clock: Clock) -> None:
    ada = await accounts.create("ada", "hash", ())
    with pytest.raises(AuthenticationError, match="unknown"):
        await accounts.rotate("one", "two", LATER)
    revoked = await accounts.open_session(ada.user_id, "revoked", LATER)
    await accounts.revoke_session(revoked)
    with pytest.raises(AuthenticationError, match="ended"):
        await accounts.rotate("revoked", "two", LATER)
    await accounts.open_session(ada.user_id, "expired", LATER)
    clock.now = LATER
    with pytest.raises(AuthenticationError, match="expired"):
        await accounts.rotate("expired", "two", 2 * LATER)
    await accounts.set_disabled(ada.user_id, True)
    with pytest.raises(AuthenticationError, match="disabled"):
        await accounts.open_session(ada.user_id, "another", 2 * LATER)


async def test_a_new_password_ends_every_session(accounts: AccountStore) -> None:
    ada = await accounts.create("ada", "old", ())
    bob = await accounts.create("bob", "hash", ())
    mine = [await accounts.open_session(ada.user_id, str(number), LATER) for number in range(2)]
    his = await accounts.open_session(bob.user_id, "his", LATER)
    await accounts.set_password(ada.user_id, "new")
    changed = await accounts.by_id(ada.user_id)
    assert changed is not None
    assert changed.password_hash == "new"
    assert [await accounts.by_session(session) for session in [*mine, his]] == [None, None, bob]


async def test_an_account_that_was_disabled_by_hand_has_no_session(accounts: AccountStore, database: Database) -> None:
    ada = await accounts.create("ada", "hash", ())
    session = await accounts.open_session(ada.user_id, "one", LATER)
    await database.write(lambda connection: connection.execute(update(users).values(disabled=True)))
    assert await accounts.by_session(session) is None
    assert await accounts.active_sessions([session]) == frozenset()


async def test_a_disabled_account_has_no_session_even_when_it_is_enabled_again(accounts: AccountStore) -> None:
    ada = await accounts.create("ada", "hash", ())
    session = await accounts.open_session(ada.user_id, "one", LATER)
    await accounts.set_disabled(ada.user_id, True)
    assert await accounts.by_session(session) is None
    await accounts.set_disabled(ada.user_id, False)
    assert await accounts.by_session(session) is None
    changed = await accounts.by_id(ada.user_id)
    assert changed is not None
    assert not changed.disabled


async def test_changing_an_account_that_is_not_there_is_an_error(accounts: AccountStore) -> None:
    nobody = UserId("nobody")
    for change in (
        accounts.set_password(nobody, "hash"),
        accounts.set_disabled(nobody, True),
        accounts.open_session(nobody, "one", LATER),
    ):
        with pytest.raises(NotFoundError, match="account"):
            await change


async def test_expired_sessions_do_not_pile_up(accounts: AccountStore, clock: Clock, database: Database) -> None:
    ada = await accounts.create("ada", "hash", ())
    for number in range(5):
        await accounts.open_session(ada.user_id, f"old-{number}", LATER)
    clock.now = LATER
    await accounts.open_session(ada.user_id, "new", 2 * LATER)

    def rows() -> tuple[int, int]:
        connection = sqlite3.connect(database.path)
        counted = connection.execute("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM refresh_tokens)")
        opened, tokens = counted.fetchone()
        connection.close()
        return opened, tokens

    assert await asyncio.to_thread(rows) == (1, 1)


async def test_many_sessions_and_accounts_are_told_active_at_once(accounts: AccountStore) -> None:
    ann, bob = [await accounts.create(name, "hash", frozenset()) for name in ("ann", "bob")]
    hers, his = [await accounts.open_session(one.user_id, f"{one.name}'s", 9e9) for one in (ann, bob)]
    unknown = [f"unknown-{number}" for number in range(1200)]
    assert await accounts.active_sessions([*unknown, hers, his]) == {hers, his}
    assert await accounts.enabled_accounts([ann.user_id, bob.user_id]) == {ann.user_id, bob.user_id}
    await accounts.set_disabled(ann.user_id, True)
    assert await accounts.active_sessions([hers, his]) == {his}
    assert await accounts.enabled_accounts([ann.user_id, bob.user_id]) == {bob.user_id}
    assert await accounts.active_sessions([]) == frozenset()


async def test_only_a_session_that_was_opened_can_have_ended(accounts: AccountStore) -> None:
    ada = await accounts.create("ada", "hash", ())
    session_id = await accounts.open_session(ada.user_id, "one", LATER)
    assert not await accounts.has_ended(session_id)
    await accounts.revoke_session(session_id)
    assert await accounts.has_ended(session_id)
    assert not await accounts.has_ended("never opened")
