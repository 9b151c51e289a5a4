"""The fakes of carrel.testing keep the same promises as the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from carrel.context import UserContext
from carrel.testing.event_log import MemoryEventLog
from carrel.testing.stores import MemoryRunStore, MemoryThreadStore, MemoryUserStore
from tests.contracts.event_log import EventLogContract
from tests.contracts.run_store import RunStoreContract
from tests.contracts.subjects import Clock, Stores
from tests.contracts.thread_store import ThreadStoreContract
from tests.contracts.user_store import UserStoreContract


@pytest.fixture
def stores() -> Stores:
    clock = Clock()
    threads = MemoryThreadStore(clock=clock)
    runs = MemoryRunStore(threads)
    return Stores(threads, runs, MemoryUserStore(), MemoryEventLog(on_append=runs.on_append, clock=clock), clock)


class TestMemoryEventLog(EventLogContract):
    @pytest.fixture
    def log(self) -> MemoryEventLog:
        return MemoryEventLog()

    @pytest.fixture
    def trim(self, log: MemoryEventLog) -> Callable[[UserContext, int], Awaitable[None]]:
        async def trim(context: UserContext, keep: int) -> None:
            log.trim(context, keep)

        return trim


class TestMemoryThreadStore(ThreadStoreContract):
    pass


class TestMemoryRunStore(RunStoreContract):
    pass


class TestMemoryUserStore(UserStoreContract):
    pass
