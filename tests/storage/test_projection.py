"""What runs and threads show of events of any shape."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from carrel.errors import NotFoundError
from carrel.events import draft_event
from carrel.storage.projection import Projection
from tests.contracts.subjects import Stores, completed, run_context, started, thought, user


def test_events_in_the_middle_and_of_sub_agents_change_nothing() -> None:
    projection = Projection()
    ada = run_context("ada")
    child = ada.child(parent_agent="a", agent="b")
    for offset, draft in enumerate([thought(ada), started(child), completed(child)], 1):
        projection.add(draft, offset, "now")
    assert projection == Projection()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, ("failed", None, None, None, {})),
        ({"status": "succeeded", "output": {"not": "text"}}, ("succeeded", None, None, None, {})),
        ({"status": "failed", "error": "just text", "usage": [1]}, ("failed", None, None, None, {})),
        ({"status": "failed", "error": {"code": 7}}, ("failed", None, "7", None, {})),
        ({"status": "succeeded", "output": "nul \x00 in it"}, ("succeeded", "nul \x00 in it", None, None, {})),
        (
            {"status": "succeeded", "output": "", "usage": {"cost_usd": 0.5}},
            ("succeeded", "", None, None, {"cost_usd": 0.5}),
        ),
    ],
)
async def test_a_run_ends_whatever_its_last_event_holds(
    stores: Stores, data: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    ada = run_context("ada")
    await stores.runs.create_run(ada, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
    await stores.log.append(ada, [started(ada), draft_event(ada, "agent_completed", "a", data)])
    run = await stores.runs.get_run(ada, ada.run_id)
    assert (run.state, run.output, run.error_code, run.error_message, run.usage) == expected
    assert run.finished_at is not None
    messages = await stores.threads.list_messages(ada, ada.thread_id)
    assert [one.text for one in messages if one.role == "assistant"] == ([expected[1]] if expected[1] else [])


async def test_the_first_end_of_a_run_counts_also_within_one_group(stores: Stores) -> None:
    ada = run_context("ada")
    await stores.runs.create_run(ada, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
    await stores.log.append(ada, [started(ada), completed(ada, "first"), completed(ada, "second")])
    run = await stores.runs.get_run(ada, ada.run_id)
    assert (run.state, run.output) == ("succeeded", "first")
    messages = await stores.threads.list_messages(ada, ada.thread_id)
    assert [one.text for one in messages] == ["why?", "first"]


async def test_runs_that_end_in_one_group_end_each_in_its_own_way(stores: Stores) -> None:
    contexts = [run_context(name) for name in ("ada", "bob", "cyd")]
    for context in contexts:
        await stores.runs.create_run(context, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
    await asyncio.gather(
        *(stores.log.append(one, [started(one), completed(one, f"for {one.user_id}")]) for one in contexts)
    )
    for context in contexts:
        messages = await stores.threads.list_messages(context, context.thread_id)
        assert [one.text for one in messages] == ["why?", f"for {context.user_id}"]
        thread = await stores.threads.get_thread(context, context.thread_id)
        run = await stores.runs.get_run(context, context.run_id)
        assert (run.output, thread.updated_at) == (f"for {context.user_id}", run.finished_at)


async def test_the_first_end_of_a_run_counts(stores: Stores) -> None:
    ada = run_context("ada")
    await stores.runs.create_run(ada, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
    await stores.log.append(ada, [started(ada), completed(ada, "first")])
    error = {"status": "interrupted", "error": {"code": "interrupted", "message": "late"}}
    await stores.log.append(ada, [started(ada), draft_event(ada, "agent_completed", "a", error)])
    run = await stores.runs.get_run(ada, ada.run_id)
    assert (run.state, run.output) == ("succeeded", "first")


async def test_an_answer_moves_only_its_own_users_thread(stores: Stores) -> None:
    ada = run_context("ada")
    bob = run_context("bob", ada.thread_id)
    for context in (ada, bob):
        await stores.runs.create_run(context, agent="a", input="q", idempotency_key=None, new_thread_title="Same id")
    stores.clock.now += 60
    await stores.log.append(ada, [started(ada), completed(ada)])
    updated = [(await stores.threads.get_thread(user(name), ada.thread_id)).updated_at for name in ("ada", "bob")]
    assert updated == ["2027-01-15T08:01:00.000000Z", "2027-01-15T08:00:00.000000Z"]
    assert len(await stores.threads.list_messages(bob, ada.thread_id)) == 1


async def test_an_answer_for_a_thread_that_is_gone_is_no_error(stores: Stores) -> None:
    ada = run_context("ada")
    await stores.log.append(ada, [started(ada), completed(ada)])
    with pytest.raises(NotFoundError):
        await stores.threads.get_thread(ada, ada.thread_id)
