"""After the end of a process, however it ended, every run is over and every grammar complete."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from carrel.context import RunId, UserExecutionContext
from carrel.errors import GrammarError
from carrel.events import AgentEvent, RunGrammar, decode_event, draft_event
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.recovery import interrupted_runs
from tests.contracts.event_log import everything
from tests.contracts.subjects import Stores, completed, run_context, started, thought, whole_run


@pytest.fixture
def log(stores: Stores) -> SqliteEventLog:
    assert isinstance(stores.log, SqliteEventLog)
    return stores.log


async def events_of(log: SqliteEventLog, context: UserExecutionContext) -> list[AgentEvent]:
    events = [decode_event(event.body) for event in await everything(log, context)]
    return [event for event in events if event.run_id == context.run_id]


def is_complete(events: list[AgentEvent]) -> bool:
    grammar = RunGrammar()
    for event in events:
        grammar.accept(event)
    return grammar.over


async def test_there_is_nothing_to_do_after_a_clean_end(log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await log.append(ada, whole_run(ada))
    assert await log.recover() == 0
    assert (await log.state(ada)).top == 5


async def test_an_open_run_is_closed_innermost_first(stores: Stores, log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await stores.runs.create_run(ada, agent="agent", input="why?", idempotency_key=None, new_thread_title="Bills")
    child = ada.child(parent_agent="agent", agent="other")
    call = {"tool_call_id": "c1", "tool": "look", "arguments": {}}
    await log.append(
        ada,
        [started(ada), thought(ada), started(child), draft_event(child, "tool_executing", "agent", call)],
    )
    stores.clock.now += 60
    assert await log.recover() == 1
    events = await events_of(log, ada)
    assert is_complete(events)
    closing_events = [(event.type, event.request_id, event.data["status"]) for event in events[4:]]
    assert closing_events == [
        ("tool_completed", child.request_id, "cancelled"),
        ("agent_completed", child.request_id, "interrupted"),
        ("agent_completed", ada.request_id, "interrupted"),
    ]
    assert events[-1].data["error"]["code"] == "interrupted"
    assert "ask again" in events[-1].data["error"]["message"]
    run = await stores.runs.get_run(ada, ada.run_id)
    assert (run.state, run.error_code) == ("interrupted", "interrupted")
    assert run.finished_at == "2027-01-15T08:01:00.000000Z"


async def test_recovering_again_closes_nothing_more(stores: Stores, log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await stores.runs.create_run(ada, agent="agent", input="why?", idempotency_key=None, new_thread_title="Bills")
    await log.append(ada, [started(ada)])
    queued = run_context("ada", ada.thread_id)
    await stores.runs.create_run(queued, agent="agent", input="and?", idempotency_key=None, new_thread_title=None)
    assert await log.recover() == 2
    top = (await log.state(ada)).top
    assert await log.recover() == 0
    assert (await log.state(ada)).top == top


async def test_a_run_that_never_started_gets_its_first_and_last_event(stores: Stores, log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await stores.runs.create_run(ada, agent="agent", input="why?", idempotency_key=None, new_thread_title="Bills")
    assert await log.recover() == 1
    events = await events_of(log, ada)
    assert is_complete(events)
    assert [event.type for event in events] == ["agent_started", "agent_completed"]
    assert (events[0].data["input"], events[0].agent) == ("why?", "agent")
    assert {event.request_id for event in events} == {ada.request_id}
    assert {event.thread_id for event in events} == {ada.thread_id}
    assert (await stores.runs.get_run(ada, ada.run_id)).state == "interrupted"


async def test_a_run_that_was_queued_in_the_log_is_closed_once(stores: Stores, log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await stores.runs.create_run(ada, agent="agent", input="why?", idempotency_key=None, new_thread_title="Bills")
    await log.append(ada, [draft_event(ada, "run_queued", "agent", {"position": 1})])
    await log.append(ada, [draft_event(ada, "run_queued", "agent", {"position": 0})])
    assert await log.recover() == 1
    events = await events_of(log, ada)
    assert [event.type for event in events] == ["run_queued", "run_queued", "agent_started", "agent_completed"]
    assert is_complete(events)
    assert events[2].data["input"] == "why?"


async def test_runs_without_a_record_are_closed_too(log: SqliteEventLog) -> None:
    begun, queued = run_context("ada"), run_context("ada")
    await log.append(begun, [started(begun), thought(begun)])
    await log.append(queued, [draft_event(queued, "run_queued", "usage_import", {"position": 0})])
    assert await log.recover() == 2
    assert is_complete(await events_of(log, begun))
    events = await events_of(log, queued)
    assert is_complete(events)
    assert (events[1].agent, events[1].data["input"]) == ("usage_import", "")


async def test_each_users_runs_are_closed_in_their_own_log(log: SqliteEventLog) -> None:
    ada, bob = run_context("ada"), run_context("bob")
    # The same run id in two logs: ids are opaque, and one user's say nothing about another's.
    object.__setattr__(bob, "run_id", RunId(ada.run_id))
    await log.append(ada, [started(ada)])
    await log.append(bob, [started(bob), thought(bob)])
    await log.append(bob, [completed(bob)])
    assert await log.recover() == 1
    assert is_complete(await events_of(log, ada))
    assert [event.data.get("status") for event in await events_of(log, bob)] == [None, None, "succeeded"]


async def test_open_runs_that_are_interleaved_with_others_are_told_apart(log: SqliteEventLog) -> None:
    first, second, over = run_context("ada"), run_context("ada"), run_context("ada")
    await log.append(over, [started(over)])
    await log.append(first, [started(first)])
    await log.append(second, [started(second), thought(second)])
    await log.append(over, [completed(over)])
    await log.append(first, [thought(first)])
    assert await log.recover() == 2
    for context in (first, second, over):
        assert is_complete(await events_of(log, context))


async def test_a_log_that_broke_the_grammar_is_closed_as_far_as_it_makes_sense(log: SqliteEventLog) -> None:
    ada = run_context("ada")
    stray = draft_event(
        ada, "tool_completed", "agent", {"tool_call_id": "never", "tool": "t", "status": "failed", "duration_ms": 1}
    )
    await log.append(ada, [started(ada), stray, thought(ada)])
    with pytest.raises(GrammarError):
        is_complete(await events_of(log, ada))
    assert await log.recover() == 1
    assert (await events_of(log, ada))[-1].data["status"] == "interrupted"
    assert await log.recover() == 0


async def test_finding_open_runs_does_not_read_whole_tables(database: Database, log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await log.append(ada, [started(ada)])

    def plans() -> list[str]:
        with closing(sqlite3.connect(database.path)) as connection:
            queries: list[str] = []
            connection.set_trace_callback(queries.append)
            interrupted_runs(connection)
            connection.set_trace_callback(None)
            return [
                step for query in queries for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
            ]

    steps = await asyncio.to_thread(plans)
    assert steps
    assert any("event_log" in step for step in steps)
    assert not [step for step in steps if step in ("SCAN runs", "SCAN event_log")]
