"""Limits of single users in the database, and who has no space left."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import delete

from carrel.context import UserId
from carrel.errors import LimitExceededError, SettingsError
from carrel.runtime.limits import RunLimits
from carrel.runtime.meters import UserMeters
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from carrel.storage.limits import LimitStore
from carrel.storage.runs import SqliteRunStore
from carrel.storage.schema.tables import users
from carrel.storage.threads import SqliteThreadStore
from carrel.storage.usage import UsageRecord, UsageStore
from carrel.storage.values import SqliteUserStore
from tests.contracts.subjects import run_context, user


async def two_users(database: Database) -> tuple[UserId, UserId]:
    accounts = AccountStore(database)
    return (await accounts.create("ann", "x", ())).user_id, (await accounts.create("bob", "x", ())).user_id


async def test_what_is_set_for_one_user_is_kept_for_them_alone(database: Database) -> None:
    limits = LimitStore(database)
    ann, bob = await two_users(database)
    assert await limits.change(ann, {"queued_runs": 5, "run_seconds": 2.5}) == {"queued_runs": 5, "run_seconds": 2.5}
    assert await limits.change(ann, {"queued_runs": None, "stored_bytes": 10}) == {
        "run_seconds": 2.5,
        "stored_bytes": 10,
    }
    assert await limits.overrides_of(ann) == {"run_seconds": 2.5, "stored_bytes": 10}
    assert await limits.overrides_of(bob) == {}


@pytest.mark.parametrize("value", [0, -1, True, math.nan, math.inf, 10**30, 2.5, "7"])
async def test_a_value_that_is_none_is_named_and_changes_nothing(database: Database, value: Any) -> None:
    limits = LimitStore(database)
    ann, _ = await two_users(database)
    with pytest.raises(SettingsError, match="queued_runs"):
        await limits.change(ann, {"concurrent_runs": 2, "queued_runs": value})
    with pytest.raises(SettingsError, match="colour"):
        await limits.change(ann, {"colour": 1})
    assert await limits.changed_after(0) == []


async def test_who_has_read_up_to_a_change_hears_of_every_later_one(database: Database) -> None:
    limits = LimitStore(database)
    ann, bob = await two_users(database)
    await limits.change(ann, {"queued_runs": 5})
    first = await limits.changed_after(0)
    await limits.change(bob, {"queued_runs": 6})
    await limits.change(ann, {"queued_runs": None})
    later = await limits.changed_after(first[-1].change)
    assert [(one.user_id, one.overrides) for one in later] == [(bob, {"queued_runs": 6}), (ann, {})]
    assert await limits.changed_after(later[-1].change) == []


async def test_the_number_of_a_change_is_not_used_again_when_its_user_is_gone(database: Database) -> None:
    limits = LimitStore(database)
    ann, bob = await two_users(database)
    await limits.change(ann, {"queued_runs": 5})
    (seen,) = await limits.changed_after(0)
    await database.write(lambda connection: connection.execute(delete(users).where(users.c.user_id == ann)))
    assert await limits.changed_after(0) == []
    await limits.change(bob, {"queued_runs": 6})
    assert [one.user_id for one in await limits.changed_after(seen.change)] == [bob]


async def fill(database: Database, meters: UserMeters) -> dict[str, Callable[[str], Awaitable[Any]]]:
    """Every way to store something, as functions of the user's id."""
    threads = SqliteThreadStore(database, meters=meters)
    runs = SqliteRunStore(database, meters=meters)
    values = SqliteUserStore(database, meters=meters)
    usage = UsageStore(database, meters=meters)
    record = UsageRecord(time=1, provider="p", model="m", input_tokens=1, output_tokens=1)

    async def run(name: str) -> Any:
        return await runs.create_run(
            run_context(name), agent="a", input="x", idempotency_key=None, new_thread_title="t"
        )

    return {
        "thread": lambda name: threads.create_thread(user(name), "t"),
        "run": run,
        "value": lambda name: values.put_value(user(name), "k", "v"),
        "import": lambda name: usage.create_import(user(name), f"another of {name}", "f"),
        "records": lambda name: usage.add_records(user(name), f"of {name}", [record], rows_read=1),
    }


@pytest.mark.parametrize("way", ["thread", "run", "value", "import", "records"])
async def test_who_has_stored_enough_stores_nothing_more_in_any_way(database: Database, way: str) -> None:
    meters = UserMeters(RunLimits())
    usage = UsageStore(database)
    for name in ("ada", "bob"):
        await usage.create_import(user(name), f"of {name}", "f")
    store = (await fill(database, meters))[way]
    meters.override(UserId("ada"), {"stored_bytes": 100})
    with pytest.raises(LimitExceededError, match="stored_bytes is 100") as caught:
        await store("ada")
    assert caught.value.retry_after is None
    assert meters.of(UserId("ada")).statistics().refused == {"stored_bytes": 1}
    await store("bob")
    meters.override(UserId("ada"), {})
    await store("ada")
    assert meters.of(UserId("bob")).statistics().refused == {}


async def test_a_repeated_key_is_answered_without_any_space(database: Database) -> None:
    meters = UserMeters(RunLimits())
    runs = SqliteRunStore(database, meters=meters)
    first, _ = await runs.create_run(
        run_context("ada"), agent="a", input="x", idempotency_key="k", new_thread_title="t"
    )
    meters.override(UserId("ada"), {"stored_bytes": 1})
    again, created = await runs.create_run(
        run_context("ada"), agent="a", input="x", idempotency_key="k", new_thread_title="t"
    )
    assert (again.run_id, created) == (first.run_id, False)


async def test_how_much_is_stored_is_told_of_those_asked_for(database: Database) -> None:
    limits, threads = LimitStore(database), SqliteThreadStore(database)
    await threads.create_thread(user("ada"), "12345")
    await threads.create_thread(user("bob"), "1")
    ada, eve = UserId("ada"), UserId("eve")
    assert await limits.stored_for([ada, eve]) == {ada: 105, eve: 0}
    assert await limits.stored_for([]) == {}
