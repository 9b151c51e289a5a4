"""A store in a fresh database, and ways to fill it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from carrel.context import RequestId, UserContext, UserId, new_id
from carrel.optimizer.imports.reader import UsageReader
from carrel.optimizer.reference import ReferenceData
from carrel.optimizer.tools import usage_tools
from carrel.runtime.tools import Tool
from carrel.storage.database import Database
from carrel.storage.migration import migrate
from carrel.storage.usage import UsageRecord, UsageStore
from carrel.storage.usage_figures import UsageFigures
from tests.optimizer import independent

Fill = Callable[..., Coroutine[Any, Any, str]]
USAGE = frozenset({"usage:read", "usage:write"})


def example() -> Sequence[UsageRecord]:
    with independent.EXAMPLE.open("rb") as file:
        return tuple(record for record in UsageReader(file) if isinstance(record, UsageRecord))


EXAMPLE = example()


def user(user_id: str = "ada") -> UserContext:
    return UserContext(user_id=UserId(user_id), request_id=RequestId(new_id()), permissions=USAGE)


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "carrel.db"
    migrate(path)
    return path


@pytest.fixture(scope="session")
def example_file(tmp_path_factory: pytest.TempPathFactory, empty_file: Path) -> Path:
    """A database in which `ada` has imported the example: filling it once is faster than for every test."""
    path = Path(shutil.copy(empty_file, tmp_path_factory.mktemp("example") / "carrel.db"))

    async def import_it() -> None:
        database = await Database.open(path)
        store = UsageStore(database)
        await store.create_import(user(), "example", "usage.csv")
        await store.add_records(user(), "example", EXAMPLE, rows_read=len(EXAMPLE))
        await store.finish_import(user(), "example")
        await database.close()

    asyncio.run(import_it())
    return path


@pytest.fixture(scope="session")
def reference() -> ReferenceData:
    return ReferenceData.load()


@pytest.fixture
def database_file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An empty database; with `usefixtures("example_file")` one with the example in it."""
    used = {name for mark in request.node.iter_markers("usefixtures") for name in mark.args}
    name = "example_file" if "example_file" in used else "empty_file"
    return Path(shutil.copy(request.getfixturevalue(name), tmp_path / "carrel.db"))


@pytest.fixture
async def database(database_file: Path) -> AsyncIterator[Database]:
    database = await Database.open(database_file)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> UsageStore:
    return UsageStore(database)


@pytest.fixture
def tools(store: UsageStore) -> tuple[Tool, ...]:
    return usage_tools(store)


@pytest.fixture
def figures(database: Database) -> UsageFigures:
    return UsageFigures(database)


@pytest.fixture
async def example_figures(example_file: Path, tmp_path: Path) -> AsyncIterator[UsageFigures]:
    database = await Database.open(Path(shutil.copy(example_file, tmp_path / "example.db")))
    yield UsageFigures(database)
    await database.close()


@pytest.fixture
def fill(store: UsageStore) -> Fill:
    async def fill(records: Sequence[UsageRecord], user_id: str = "ada", *, finish: bool = True) -> str:
        context, import_id = user(user_id), new_id()
        await store.create_import(context, import_id, "test.csv")
        await store.add_records(context, import_id, records, rows_read=len(records))
        if finish:
            await store.finish_import(context, import_id)
        return import_id

    return fill
