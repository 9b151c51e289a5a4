from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from carrel.context import UserContext, ambient_context
from carrel.errors import EngineClosedError, IsolationError
from carrel.runtime.store import BoundStore
from carrel.testing import MemoryRuntime


class Unguarded:
    """A store that trusts whoever asks: the bound store must not rely on it."""

    async def get_value(self, context: UserContext, key: str) -> Any:
        return "leaked"

    async def put_value(self, context: UserContext, key: str, value: Any) -> None: ...

    async def delete_value(self, context: UserContext, key: str) -> None: ...

    async def list_keys(self, context: UserContext, prefix: str = "") -> Sequence[str]:
        return ["leaked"]


async def test_a_bound_store_sees_its_user_and_nobody_else():
    runtime = MemoryRuntime()
    ada, bob = (BoundStore(runtime.context(name), runtime.store) for name in ("ada", "bob"))
    await ada.put("key", {"a": 1})
    await ada.put("other", 2)
    assert await ada.get("key") == {"a": 1}
    assert list(await ada.keys()) == ["key", "other"]
    assert list(await ada.keys("o")) == ["other"]
    assert await bob.get("key") is None
    assert list(await bob.keys()) == []
    await bob.delete("key")
    await ada.delete("other")
    assert list(await ada.keys()) == ["key"]


async def test_a_bound_store_refuses_work_for_another_user():
    runtime = MemoryRuntime()
    store = BoundStore(runtime.context("ada"), Unguarded())
    with ambient_context(runtime.context("bob")):
        for attempt in (store.get("k"), store.put("k", 1), store.delete("k"), store.keys()):
            with pytest.raises(IsolationError):
                await attempt


async def test_a_closed_store_refuses_everything():
    runtime = MemoryRuntime()
    store = BoundStore(runtime.context("ada"), runtime.store)
    store.close()
    for attempt in (store.get("k"), store.put("k", 1), store.delete("k"), store.keys()):
        with pytest.raises(EngineClosedError):
            await attempt
