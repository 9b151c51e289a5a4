"""The user store on SQLite."""

from __future__ import annotations

from tests.contracts.user_store import UserStoreContract


class TestSqliteUserStore(UserStoreContract):
    pass
