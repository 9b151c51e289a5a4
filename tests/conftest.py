"""What every test runs under: asyncio, and a loop that nobody blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings
from pydantic import TypeAdapter

# alembic and pydantic read the metadata of installed packages once, when first used: not in a test's loop.
import carrel.storage.migration

assert carrel.storage.migration
TypeAdapter(int)

# How long an example takes says how busy the machine is. The same examples in every run: what somebody's change broke
# shows in theirs. To look further: HYPOTHESIS_PROFILE=explore make test ARGS=tests/migrate.
settings.register_profile("carrel", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "carrel"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def blocked_loop_fails() -> Iterator[BlockBuster]:
    with blockbuster_ctx("carrel") as blockbuster:
        for name, function in blockbuster.functions.items():
            if name.startswith("sqlite3."):
                # What the loop asks SQLite itself, and why it may: docs/decisions/0088.
                function.can_block_in("carrel/storage/database.py", "first")
        yield blockbuster
