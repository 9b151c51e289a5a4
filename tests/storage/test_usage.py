"""Imports are all or nothing, each user's alone, and a crash leaves nothing behind."""

from __future__ import annotations

import pytest

from carrel.context import RequestId, UserContext, UserId, ambient_context, new_id
from carrel.errors import ConflictError, IsolationError, NotFoundError
from carrel.storage import usage
from carrel.storage.database import Database
from carrel.storage.usage import ImportFailure, RejectedRow, UsageRecord, UsageStore
from carrel.storage.usage_figures import UsageFigures

FAILURE = ImportFailure("rejected_rows", "two rows are bad", ("a", "b"), ("time",))


def user(user_id: str = "ada") -> UserContext:
    return UserContext(user_id=UserId(user_id), request_id=RequestId(new_id()))


def some(count: int = 3) -> list[UsageRecord]:
    return [UsageRecord(1_790_000_000_000_000 + number, "openai", "gpt-4o", 10, 2) for number in range(count)]


@pytest.fixture
def store(database: Database) -> UsageStore:
    return UsageStore(database)


async def visible(store: UsageStore, user_id: str = "ada") -> int:
    return (await UsageFigures(store.database).extent(user(user_id))).records


async def written(database: Database) -> int:
    from sqlalchemy import func, select

    from carrel.storage.schema.usage import usage_records

    count = select(func.count()).select_from(usage_records)
    return await database.read(lambda connection: connection.execute(count).scalar_one())


async def test_records_are_visible_when_the_import_is_finished_and_not_before(store: UsageStore) -> None:
    await store.create_import(user(), "i1", "usage.csv")
    await store.add_records(user(), "i1", some(3), rows_read=3)
    await store.add_records(user(), "i1", some(2), rows_read=5)
    assert await visible(store) == 0
    record = await store.finish_import(user(), "i1")
    assert (record.state, record.rows_read, record.rows_imported, record.failure) == ("succeeded", 5, 5, None)
    assert record.finished_at is not None
    assert await visible(store) == 5


async def test_a_rejected_import_leaves_no_record(store: UsageStore, database: Database) -> None:
    await store.create_import(user(), "i1", "usage.csv")
    await store.add_records(user(), "i1", some(3), rows_read=3)
    rows = [RejectedRow(7, "time", "is empty")]
    record = await store.reject_import(user(), "i1", FAILURE, rows_read=9, rejected=rows, rows_rejected=200)
    assert (record.state, record.failure, record.rows_imported) == ("failed", FAILURE, 0)
    assert (record.rows_read, record.rejected, record.rows_rejected) == (9, (RejectedRow(7, "time", "is empty"),), 200)
    assert (await visible(store), await written(database)) == (0, 0)


async def test_at_most_a_hundred_rejected_rows_are_kept(store: UsageStore) -> None:
    await store.create_import(user(), "i1", "usage.csv")
    rows = [RejectedRow(number, "", "bad") for number in range(150)]
    await store.add_records(user(), "i1", [], rows_read=150, rejected=rows, rows_rejected=150)
    assert len((await store.get_import(user(), "i1")).rejected) == 100


async def test_a_crash_in_the_middle_is_cleaned_up_at_start(store: UsageStore, database: Database) -> None:
    await store.create_import(user(), "done", "usage.csv")
    await store.add_records(user(), "done", some(1), rows_read=1)
    await store.finish_import(user(), "done")
    await store.create_import(user(), "open", "usage.csv")
    await store.add_records(user(), "open", some(3), rows_read=3)

    assert await UsageStore(database).recover() == 1
    record = await store.get_import(user(), "open")
    assert (record.state, record.rows_imported) == ("interrupted", 0)
    assert record.failure is not None
    assert "upload it again" in record.failure.message
    assert (await visible(store), await written(database)) == (1, 1)
    assert await store.recover() == 0


async def test_a_crash_while_records_are_removed_is_finished_at_start(
    store: UsageStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(self: UsageStore, user_id: str, number: int) -> None:
        raise RuntimeError("killed")

    for import_id in ("removed", "failed"):
        await store.create_import(user(), import_id, "usage.csv")
        await store.add_records(user(), import_id, some(3), rows_read=3)
    await store.finish_import(user(), "removed")
    with monkeypatch.context() as patch:
        patch.setattr(UsageStore, "_remove_records", crash)
        with pytest.raises(RuntimeError):
            await store.remove_import(user(), "removed")
        with pytest.raises(RuntimeError):
            await store.reject_import(user(), "failed", FAILURE)
    assert await visible(store) == 0
    with pytest.raises(NotFoundError):
        await store.get_import(user(), "removed")
    assert await written(database) == 6
    assert await store.recover() == 0
    assert await written(database) == 0
    assert [one.import_id for one in await store.list_imports(user())] == ["failed"]


async def test_removing_an_import_removes_its_records_and_no_others(
    store: UsageStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "REMOVED_AT_ONCE", 2)
    for import_id, count in (("one", 5), ("two", 4)):
        await store.create_import(user(), import_id, "usage.csv")
        await store.add_records(user(), import_id, some(count), rows_read=count)
        await store.finish_import(user(), import_id)
    await store.remove_import(user(), "one")
    assert (await visible(store), await written(database)) == (4, 4)
    with pytest.raises(NotFoundError):
        await store.remove_import(user(), "one")


async def test_a_running_import_cannot_be_removed_and_one_that_is_over_takes_nothing(store: UsageStore) -> None:
    await store.create_import(user(), "i1", "usage.csv")
    with pytest.raises(ConflictError) as caught:
        await store.remove_import(user(), "i1")
    assert caught.value.code == "import_running"
    await store.finish_import(user(), "i1")
    with pytest.raises(ConflictError) as caught:
        await store.add_records(user(), "i1", some(), rows_read=3)
    assert caught.value.code == "import_over"
    with pytest.raises(ConflictError):
        await store.finish_import(user(), "i1")
    with pytest.raises(ConflictError):
        await store.reject_import(user(), "i1", FAILURE)


async def test_imports_are_listed_newest_first(store: UsageStore) -> None:
    for import_id in ("a", "b", "c"):
        await store.create_import(user(), import_id, f"{import_id}.csv")
    assert [one.import_id for one in await store.list_imports(user())] == ["c", "b", "a"]
    assert [one.import_id for one in await store.list_imports(user(), limit=1)] == ["c"]
    assert await store.list_imports(user("eve")) == []


async def test_another_users_import_is_as_if_it_were_not(store: UsageStore) -> None:
    await store.create_import(user("ada"), "i1", "usage.csv")
    await store.add_records(user("ada"), "i1", some(), rows_read=3)
    messages = set()
    for import_id in ("i1", "never was"):
        for attempt in (
            store.get_import(user("eve"), import_id),
            store.finish_import(user("eve"), import_id),
            store.remove_import(user("eve"), import_id),
            store.add_records(user("eve"), import_id, some(), rows_read=3),
            store.reject_import(user("eve"), import_id, FAILURE),
        ):
            with pytest.raises(NotFoundError) as caught:
                await attempt
            messages.add(str(caught.value))
    assert len(messages) == 1
    assert (await store.get_import(user("ada"), "i1")).rows_imported == 3


async def test_two_users_may_have_imports_of_the_same_id_and_number(store: UsageStore) -> None:
    for name, count in (("ada", 2), ("eve", 3)):
        await store.create_import(user(name), "same", "usage.csv")
        await store.add_records(user(name), "same", some(count), rows_read=count)
        await store.finish_import(user(name), "same")
    assert (await visible(store, "ada"), await visible(store, "eve")) == (2, 3)
    await store.remove_import(user("ada"), "same")
    assert (await visible(store, "ada"), await visible(store, "eve")) == (0, 3)


async def test_erasing_a_user_leaves_the_others(store: UsageStore, database: Database) -> None:
    for name in ("ada", "eve"):
        await store.create_import(user(name), "i1", "usage.csv")
        await store.add_records(user(name), "i1", some(), rows_read=3)
        await store.finish_import(user(name), "i1")
    await store.erase(user("ada"))
    assert (await store.list_imports(user("ada")), await visible(store, "eve"), await written(database)) == ([], 3, 3)


async def test_work_for_another_user_cannot_touch_the_store(store: UsageStore) -> None:
    await store.create_import(user("ada"), "i1", "usage.csv")
    with ambient_context(user("eve")):
        for attempt in (
            store.create_import(user("ada"), "i2", "x"),
            store.get_import(user("ada"), "i1"),
            store.list_imports(user("ada")),
            store.erase(user("ada")),
            store.add_records(user("ada"), "i1", some(), rows_read=3),
            visible(store),
        ):
            with pytest.raises(IsolationError):
                await attempt


async def test_everything_about_a_record_is_kept(store: UsageStore, database: Database) -> None:
    from sqlalchemy import select

    from carrel.storage.schema.usage import usage_records

    record = UsageRecord(1_790_000_000_000_000, "openai", "gpt-4o", 10, 2, 4, "bot", 3, True, 12.5, 10**18)
    await store.create_import(user(), "i1", "usage.csv")
    await store.add_records(user(), "i1", [record], rows_read=1)
    row = await database.read(lambda connection: connection.execute(select(usage_records)).one())
    assert UsageRecord(*(getattr(row, name) for name in UsageRecord._fields)) == record
