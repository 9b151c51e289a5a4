"""What every `RunStore` promises, together with the log that it follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from carrel.context import RunId, ambient_context
from carrel.errors import IsolationError, NotFoundError
from carrel.events import draft_event
from carrel.runtime.store import RunRecord
from tests.contracts.subjects import Stores, completed, run_context, started, thought, user

DAY = 24 * 60 * 60


async def create(
    stores: Stores, name: str, *, thread: str | None = None, key: str | None = None, input: str = "why?"
) -> tuple[RunRecord, bool]:
    return await stores.runs.create_run(
        run_context(name, thread),
        agent="agent",
        input=input,
        idempotency_key=key,
        new_thread_title=None if thread else "Bills",
    )


class RunStoreContract:
    """Needs the fixture `stores`."""

    async def test_a_new_run_is_queued_in_a_new_thread_with_the_users_message(self, stores: Stores) -> None:
        ada = user("ada")
        run, created = await create(stores, "ada")
        assert created
        assert run._replace(run_id=RunId(""), request_id="") == RunRecord(
            run_id=RunId(""),
            thread_id=run.thread_id,
            request_id="",
            agent="agent",
            input="why?",
            state="queued",
            output=None,
            error_code=None,
            error_message=None,
            usage={},
            created_at="2027-01-15T08:00:00.000000Z",
            finished_at=None,
        )
        assert await stores.runs.get_run(ada, run.run_id) == run
        assert (await stores.threads.get_thread(ada, run.thread_id)).title == "Bills"
        (message,) = await stores.threads.list_messages(ada, run.thread_id)
        assert (message.role, message.text, message.run_id) == ("user", "why?", run.run_id)

    async def test_a_run_follows_its_events(self, stores: Stores) -> None:
        ada = user("ada")
        context = run_context("ada")
        await stores.runs.create_run(context, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
        await stores.log.append(context, [draft_event(context, "run_queued", "a", {"position": 1})])
        assert (await stores.runs.get_run(ada, context.run_id)).state == "queued"
        await stores.log.append(context, [started(context), thought(context)])
        assert (await stores.runs.get_run(ada, context.run_id)).state == "running"
        stores.clock.now += 5
        await stores.log.append(context, [completed(context, "because")])
        run = await stores.runs.get_run(ada, context.run_id)
        assert (run.state, run.output, run.usage) == ("succeeded", "because", {"input_tokens": 3})
        assert (run.error_code, run.error_message) == (None, None)
        assert run.finished_at == "2027-01-15T08:00:05.000000Z"
        assert list(await stores.runs.open_runs(ada, context.thread_id)) == []
        answer = (await stores.threads.list_messages(ada, context.thread_id))[-1]
        assert (answer.role, answer.text, answer.run_id) == ("assistant", "because", context.run_id)

    async def test_a_failed_run_shows_its_error_and_no_answer(self, stores: Stores) -> None:
        ada = user("ada")
        context = run_context("ada")
        await stores.runs.create_run(context, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
        error = {"code": "timed_out", "message": "too slow"}
        data = {"status": "timed_out", "error": error, "duration_ms": 1, "usage": {}}
        await stores.log.append(context, [started(context), draft_event(context, "agent_completed", "a", data)])
        run = await stores.runs.get_run(ada, context.run_id)
        assert (run.state, run.output) == ("timed_out", None)
        assert (run.error_code, run.error_message) == ("timed_out", "too slow")
        assert len(await stores.threads.list_messages(ada, context.thread_id)) == 1

    async def test_the_end_of_a_sub_agent_is_not_the_end_of_the_run(self, stores: Stores) -> None:
        context = run_context("ada")
        await stores.runs.create_run(context, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
        child = context.child(parent_agent="a", agent="b")
        await stores.log.append(context, [started(context), started(child), completed(child, "half")])
        run = await stores.runs.get_run(context, context.run_id)
        assert (run.state, run.output) == ("running", None)
        assert len(await stores.threads.list_messages(context, context.thread_id)) == 1

    async def test_events_of_a_run_without_a_record_change_nothing(self, stores: Stores) -> None:
        context = run_context("ada")
        await stores.log.append(context, [started(context), completed(context)])
        with pytest.raises(NotFoundError):
            await stores.runs.get_run(context, context.run_id)
        assert list(await stores.threads.list_threads(context)) == []

    async def test_another_users_event_with_the_same_run_id_changes_nothing(self, stores: Stores) -> None:
        run, _ = await create(stores, "ada")
        context = run_context("bob")
        object.__setattr__(context, "run_id", run.run_id)
        object.__setattr__(context, "thread_id", run.thread_id)
        await stores.log.append(context, [started(context), completed(context, "forged")])
        assert await stores.runs.get_run(user("ada"), run.run_id) == run
        assert len(await stores.threads.list_messages(user("ada"), run.thread_id)) == 1

    async def test_a_key_starts_one_run_in_a_day(self, stores: Stores) -> None:
        ada = user("ada")
        first, created = await create(stores, "ada", key="k")
        assert created
        stores.clock.now += DAY - 1
        assert await create(stores, "ada", key="k", input="other") == (first, False)
        assert await stores.runs.find_run(ada, "k") == first
        assert len(await stores.threads.list_threads(ada)) == 1
        assert len(await stores.threads.list_messages(ada, first.thread_id)) == 1
        stores.clock.now += 2
        assert await stores.runs.find_run(ada, "k") is None
        second, created = await create(stores, "ada", key="k")
        assert created
        assert second.run_id != first.run_id
        assert await stores.runs.find_run(ada, "k") == second

    async def test_a_key_belongs_to_its_user(self, stores: Stores) -> None:
        first, _ = await create(stores, "ada", key="k")
        assert await stores.runs.find_run(user("bob"), "k") is None
        second, created = await create(stores, "bob", key="k")
        assert created
        assert second.run_id != first.run_id

    async def test_of_many_with_one_key_at_once_one_starts(self, stores: Stores) -> None:
        results = await asyncio.gather(*(create(stores, "ada", key="k") for _ in range(8)))
        assert sorted(created for _, created in results) == [False] * 7 + [True]
        assert len({run.run_id for run, _ in results}) == 1

    async def test_a_run_needs_a_thread_of_its_user(self, stores: Stores) -> None:
        foreign, _ = await create(stores, "bob")
        answers = []
        for thread in (foreign.thread_id, "never-was"):
            with pytest.raises(NotFoundError) as caught:
                await create(stores, "ada", thread=thread, key="k")
            answers.append((str(caught.value), vars(caught.value)))
        assert answers[0] == answers[1]
        assert list(await stores.threads.list_threads(user("ada"))) == []
        assert await stores.runs.find_run(user("ada"), "k") is None
        assert len(await stores.threads.list_messages(user("bob"), foreign.thread_id)) == 1

    async def test_a_foreign_run_answers_exactly_like_a_missing_one(self, stores: Stores) -> None:
        ada = user("ada")
        foreign, _ = await create(stores, "bob")
        for call in (stores.runs.get_run, stores.runs.forget_run):
            answers = []
            for run_id in (foreign.run_id, RunId("never-was")):
                with pytest.raises(NotFoundError) as caught:
                    await call(ada, run_id)
                answers.append((type(caught.value), str(caught.value), vars(caught.value)))
            assert answers[0] == answers[1]
        assert list(await stores.runs.open_runs(ada, foreign.thread_id)) == []
        assert len(await stores.threads.list_messages(user("bob"), foreign.thread_id)) == 1

    async def test_nothing_works_while_working_for_another_user(self, stores: Stores) -> None:
        run, _ = await create(stores, "ada")
        ada = user("ada")
        calls: list[Callable[[], Awaitable[Any]]] = [
            lambda: create(stores, "ada"),
            lambda: create(stores, "ada", key="k"),
            lambda: stores.runs.find_run(ada, "k"),
            lambda: stores.runs.get_run(ada, run.run_id),
            lambda: stores.runs.open_runs(ada, run.thread_id),
            lambda: stores.runs.forget_run(ada, run.run_id),
        ]
        with ambient_context(user("bob")):
            for call in calls:
                with pytest.raises(IsolationError):
                    await call()
        assert len(await stores.threads.list_threads(ada)) == 1

    async def test_open_runs_are_listed_oldest_first(self, stores: Stores) -> None:
        ada = user("ada")
        first, _ = await create(stores, "ada")
        stores.clock.now -= 60
        second, _ = await create(stores, "ada", thread=first.thread_id)
        await create(stores, "ada")
        found = await stores.runs.open_runs(ada, first.thread_id)
        assert [run.run_id for run in found] == [first.run_id, second.run_id]

    async def test_a_forgotten_run_leaves_no_message_and_keeps_its_record(self, stores: Stores) -> None:
        ada = user("ada")
        kept, _ = await create(stores, "ada")
        context = run_context("ada", kept.thread_id)
        await stores.runs.create_run(context, agent="a", input="oops", idempotency_key=None, new_thread_title=None)
        await stores.log.append(context, [started(context), completed(context)])
        await stores.runs.forget_run(ada, context.run_id)
        assert [one.text for one in await stores.threads.list_messages(ada, kept.thread_id)] == ["why?"]
        assert (await stores.runs.get_run(ada, context.run_id)).state == "succeeded"
        assert (await stores.log.state(ada)).top == 2
