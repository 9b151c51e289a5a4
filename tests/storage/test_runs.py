"""The run store on SQLite."""

from __future__ import annotations

from tests.contracts.run_store import RunStoreContract
from tests.contracts.subjects import Stores, completed, run_context, started, user


class TestSqliteRunStore(RunStoreContract):
    async def test_the_late_answer_of_a_forgotten_run_is_not_shown(self, stores: Stores) -> None:
        ada = user("ada")
        context = run_context("ada")
        await stores.runs.create_run(context, agent="a", input="oops", idempotency_key=None, new_thread_title="Bills")
        await stores.log.append(context, [started(context)])
        await stores.runs.forget_run(ada, context.run_id)
        await stores.log.append(context, [completed(context, "too late")])
        assert list(await stores.threads.list_messages(ada, context.thread_id)) == []
        assert (await stores.runs.get_run(ada, context.run_id)).output == "too late"
