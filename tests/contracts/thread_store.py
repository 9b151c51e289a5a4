"""What every `ThreadStore` promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from carrel.context import ThreadId, ambient_context
from carrel.errors import ConflictError, IsolationError, NotFoundError
from tests.contracts.subjects import Stores, completed, run_context, started, user, whole_run


class ThreadStoreContract:
    """Needs the fixture `stores`."""

    async def test_a_thread_is_found_by_its_owner(self, stores: Stores) -> None:
        ada = user("ada")
        thread = await stores.threads.create_thread(ada, "Bills")
        assert thread.title == "Bills"
        assert thread.created_at == thread.updated_at == "2027-01-15T08:00:00.000000Z"
        assert await stores.threads.get_thread(ada, thread.thread_id) == thread
        assert list(await stores.threads.list_threads(ada)) == [thread]

    async def test_a_foreign_thread_answers_exactly_like_a_missing_one(self, stores: Stores) -> None:
        ada, bob = user("ada"), user("bob")
        foreign = (await stores.threads.create_thread(bob, "Secret")).thread_id
        run = run_context("bob", foreign)
        await stores.runs.create_run(run, agent="a", input="Secret?", idempotency_key=None, new_thread_title=None)
        await stores.log.append(run, whole_run(run))
        calls: list[Callable[[ThreadId], Awaitable[Any]]] = [
            lambda thread_id: stores.threads.get_thread(ada, thread_id),
            lambda thread_id: stores.threads.rename_thread(ada, thread_id, "Mine"),
            lambda thread_id: stores.threads.delete_thread(ada, thread_id),
            lambda thread_id: stores.threads.list_messages(ada, thread_id),
            lambda thread_id: stores.threads.list_threads(ada, before=thread_id),
        ]
        for call in calls:
            answers = []
            for thread_id in (foreign, ThreadId("never-was")):
                with pytest.raises(NotFoundError) as caught:
                    await call(thread_id)
                answers.append((type(caught.value), str(caught.value), vars(caught.value)))
            assert answers[0] == answers[1]
        assert list(await stores.threads.list_threads(ada)) == []
        assert (await stores.threads.get_thread(bob, foreign)).title == "Secret"

    async def test_nothing_works_while_working_for_another_user(self, stores: Stores) -> None:
        ada = user("ada")
        thread = (await stores.threads.create_thread(ada, "Bills")).thread_id
        calls: list[Callable[[], Awaitable[Any]]] = [
            lambda: stores.threads.create_thread(ada, "More"),
            lambda: stores.threads.list_threads(ada),
            lambda: stores.threads.get_thread(ada, thread),
            lambda: stores.threads.rename_thread(ada, thread, "Bob's"),
            lambda: stores.threads.delete_thread(ada, thread),
            lambda: stores.threads.list_messages(ada, thread),
        ]
        with ambient_context(user("bob")):
            for call in calls:
                with pytest.raises(IsolationError):
                    await call()
        assert [one.title for one in await stores.threads.list_threads(ada)] == ["Bills"]

    async def test_renaming_changes_the_title_and_nothing_else(self, stores: Stores) -> None:
        ada = user("ada")
        thread = await stores.threads.create_thread(ada, "Bills")
        stores.clock.now += 60
        renamed = await stores.threads.rename_thread(ada, thread.thread_id, "Invoices")
        assert renamed == thread._replace(title="Invoices")
        assert await stores.threads.get_thread(ada, thread.thread_id) == renamed

    async def test_threads_are_listed_newest_first_page_by_page(self, stores: Stores) -> None:
        ada = user("ada")
        for number in range(5):
            # Two share a moment: pages must neither repeat nor skip one of them.
            stores.clock.now += number % 2
            await stores.threads.create_thread(ada, str(number))
        await stores.threads.create_thread(user("bob"), "his")
        pages, before = [], None
        while page := await stores.threads.list_threads(ada, limit=2, before=before):
            pages.append([thread.title for thread in page])
            before = page[-1].thread_id
        assert [len(page) for page in pages] == [2, 2, 1]
        assert sorted(title for page in pages for title in page) == ["0", "1", "2", "3", "4"]
        assert set(pages[0]) == {"4", "3"}

    async def test_a_new_message_moves_its_thread_to_the_top(self, stores: Stores) -> None:
        ada = user("ada")
        first = await stores.threads.create_thread(ada, "first")
        stores.clock.now += 1
        await stores.threads.create_thread(ada, "second")
        stores.clock.now += 1
        run = run_context("ada", first.thread_id)
        await stores.runs.create_run(run, agent="a", input="why?", idempotency_key=None, new_thread_title=None)
        assert [thread.title for thread in await stores.threads.list_threads(ada)] == ["first", "second"]

    async def test_messages_are_the_newest_oldest_first(self, stores: Stores) -> None:
        ada = user("ada")
        thread = (await stores.threads.create_thread(ada, "Bills")).thread_id
        assert list(await stores.threads.list_messages(ada, thread)) == []
        for number in range(3):
            run = run_context("ada", thread)
            await stores.runs.create_run(
                run, agent="a", input=f"q{number}", idempotency_key=None, new_thread_title=None
            )
            await stores.log.append(run, [started(run), completed(run, f"a{number}")])
        messages = await stores.threads.list_messages(ada, thread)
        assert [(one.role, one.text) for one in messages] == [
            *(("user", "q0"), ("assistant", "a0"), ("user", "q1")),
            *(("assistant", "a1"), ("user", "q2"), ("assistant", "a2")),
        ]
        assert list(await stores.threads.list_messages(ada, thread, limit=3)) == list(messages)[-3:]
        assert len({one.message_id for one in messages}) == 6

    async def test_deleting_a_thread_deletes_its_messages_and_runs(self, stores: Stores) -> None:
        ada = user("ada")
        run = run_context("ada")
        await stores.runs.create_run(run, agent="a", input="why?", idempotency_key="k", new_thread_title="Bills")
        kept = run_context("ada")
        await stores.runs.create_run(kept, agent="a", input="who?", idempotency_key=None, new_thread_title="Kept")
        await stores.log.append(run, [started(run), completed(run)])
        await stores.threads.delete_thread(ada, run.thread_id)
        with pytest.raises(NotFoundError):
            await stores.threads.list_messages(ada, run.thread_id)
        with pytest.raises(NotFoundError):
            await stores.runs.get_run(ada, run.run_id)
        assert [thread.title for thread in await stores.threads.list_threads(ada)] == ["Kept"]
        assert len(await stores.threads.list_messages(ada, kept.thread_id)) == 1
        assert (await stores.runs.get_run(ada, kept.run_id)).input == "who?"

    async def test_a_thread_with_an_open_run_is_not_deleted(self, stores: Stores) -> None:
        ada = user("ada")
        run = run_context("ada")
        await stores.runs.create_run(run, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
        for _ in range(2):
            with pytest.raises(ConflictError) as caught:
                await stores.threads.delete_thread(ada, run.thread_id)
            assert caught.value.code == "thread_busy"
            await stores.log.append(run, [started(run)] if _ == 0 else [completed(run)])
        await stores.threads.delete_thread(ada, run.thread_id)
        assert list(await stores.threads.list_threads(ada)) == []
