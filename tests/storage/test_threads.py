"""The thread store on SQLite."""

from __future__ import annotations

from tests.contracts.thread_store import ThreadStoreContract


class TestSqliteThreadStore(ThreadStoreContract):
    pass
