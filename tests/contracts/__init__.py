"""What every implementation of a protocol must do: one suite per protocol, run by each implementation's tests.

A test module subclasses a suite and gives its fixtures::

    class TestSqliteEventLog(EventLogContract):
        @pytest.fixture
        async def log(self) -> AsyncIterator[EventLog]: ...
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "tests.contracts.event_log",
    "tests.contracts.run_store",
    "tests.contracts.thread_store",
    "tests.contracts.user_store",
)
