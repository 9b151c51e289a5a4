"""What tests/contracts does not ask of every store: what is particular to those in memory."""

from __future__ import annotations

import pytest

from carrel.context import ThreadId
from carrel.errors import InputError
from carrel.events import draft_event
from carrel.testing import MemoryRunStore, MemoryRuntime, MemoryThreadStore, MemoryUserStore


async def test_values_are_copies():
    runtime = MemoryRuntime()
    store, ada = MemoryUserStore(), runtime.user()
    value = {"list": [1]}
    await store.put_value(ada, "k", value)
    value["list"].append(2)
    got = await store.get_value(ada, "k")
    got["list"].append(3)
    assert await store.get_value(ada, "k") == {"list": [1]}


@pytest.mark.parametrize("value", [object(), {1, 2}, "x" * 65_536])
async def test_what_is_not_small_json_is_refused(value: object):
    store = MemoryUserStore()
    with pytest.raises(InputError, match="value"):
        await store.put_value(MemoryRuntime().user(), "k", value)


async def test_a_run_outside_any_record_changes_nothing():
    runtime = MemoryRuntime()
    context = runtime.context()
    runs = MemoryRunStore(MemoryThreadStore())
    runs.on_append([draft_event(context, "agent_started", "usage_import", {"input": "x"})])
    assert list(await runs.open_runs(context, ThreadId("thread-of-ada"))) == []


async def test_two_stores_share_nothing():
    runtime, other = MemoryRuntime(), MemoryRuntime()
    await runtime.threads.create_thread(runtime.user(), "mine")
    assert list(await other.threads.list_threads(other.user())) == []
