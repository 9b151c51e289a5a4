from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from carrel.context import RunId, ThreadId, UserContext, UserId, ambient_context
from carrel.errors import (
    AgentNotFoundError,
    ConflictError,
    IsolationError,
    LimitExceededError,
    NotFoundError,
    StorageError,
)
from carrel.runtime.agent import AgentRun
from carrel.runtime.limits import RunLimits
from carrel.runtime.run_request import Accepted, RunRequest
from carrel.runtime.scheduler import SchedulerStatistics
from carrel.runtime.store import Message
from carrel.testing import MemoryRuntime
from tests.runtime.lifecycle import events_of, outline, slow_down


class House:
    """A runtime whose one agent waits until it is let go by its input."""

    def __init__(self, **limits: Any) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.running: list[str] = []
        self.histories: dict[str, list[str]] = {}

        async def waiter(run: AgentRun) -> str:
            """Wait."""
            self.running.append(run.input)
            self.histories[run.input] = [message.text for message in run.history]
            try:
                await self.gates.setdefault(run.input, asyncio.Event()).wait()
            finally:
                self.running.remove(run.input)
            return f"answer to {run.input}"

        limits = {"grace_seconds": 0.05, **limits}
        self.runtime = MemoryRuntime([waiter], limits=RunLimits(**limits))
        self.scheduler = self.runtime.scheduler

    async def start(self, input: str, user_id: str = "ada", **request: Any) -> Accepted:
        accepted = await self.scheduler.start(
            self.runtime.user(user_id), RunRequest(input=input, agent="waiter", **request)
        )
        await self.settle()
        return accepted

    async def finish(self, *inputs: str) -> None:
        for name in inputs:
            self.gates.setdefault(name, asyncio.Event()).set()
        await self.settle()

    async def cancel(self, accepted: Accepted, user_id: str = "ada") -> Accepted:
        answer = await self.scheduler.cancel(self.runtime.user(user_id), accepted.run_id)
        await self.settle()
        return answer

    async def state(self, accepted: Accepted, user_id: str = "ada") -> str:
        return (await self.runtime.runs.get_run(self.runtime.user(user_id), accepted.run_id)).state

    async def messages(self, thread_id: ThreadId) -> list[str]:
        return [message.text for message in await self.runtime.threads.list_messages(self.runtime.user(), thread_id)]

    @staticmethod
    async def settle() -> None:
        for _ in range(50):
            await asyncio.sleep(0)


async def test_a_run_is_recorded_and_outlives_who_started_it():
    house = House()
    starting = asyncio.create_task(house.start("one"))
    accepted = await starting
    assert accepted.created
    assert await house.state(accepted) == "running"
    await house.finish("one")
    assert await house.state(accepted) == "succeeded"
    assert await house.messages(accepted.thread_id) == ["one", "answer to one"]
    assert (await house.runtime.threads.get_thread(house.runtime.user(), accepted.thread_id)).title == "one"
    assert outline(events_of(house.runtime)) == ["agent_started", "agent_completed succeeded"]


async def test_only_a_run_in_a_thread_that_was_there_looks_for_what_came_before(monkeypatch: pytest.MonkeyPatch):
    house = House()
    asked: list[ThreadId] = []
    look = house.runtime.threads.list_messages

    async def note(context: UserContext, thread_id: ThreadId, *, limit: int = 200) -> Sequence[Message]:
        asked.append(thread_id)
        return await look(context, thread_id, limit=limit)

    monkeypatch.setattr(house.runtime.threads, "list_messages", note)
    first = await house.start("one")
    await house.finish("one")
    assert asked == []
    await house.start("two", thread_id=first.thread_id)
    assert asked == [first.thread_id]
    assert house.histories == {"one": [], "two": ["one", "answer to one"]}
    await house.finish("two")


async def test_nothing_is_kept_of_a_run_that_is_over():
    house = House()
    await house.start("one")
    await house.start("two", "bob")
    await house.finish("one", "two")
    assert house.scheduler.statistics() == SchedulerStatistics(running=0, queued=0, users=0, slots=64, draining=False)
    assert not house.scheduler._tickets
    assert not house.scheduler._tasks
    assert not house.scheduler._doors


async def test_an_unknown_agent_is_refused_before_anything_is_written():
    house = House()
    with pytest.raises(AgentNotFoundError, match="there are: waiter"):
        await house.scheduler.start(house.runtime.user(), RunRequest(input="x", agent="nobody"))
    assert list(await house.runtime.threads.list_threads(house.runtime.user())) == []


async def test_a_foreign_thread_answers_like_a_missing_one():
    house = House()
    theirs = await house.start("theirs", "bob")
    answers = []
    for thread_id in (theirs.thread_id, ThreadId("never-was")):
        with pytest.raises(NotFoundError) as caught:
            await house.start("x", thread_id=thread_id)
        answers.append(str(caught.value))
    assert answers[0] == answers[1]
    await house.finish("theirs")


async def test_one_key_starts_one_run():
    house = House()
    first = await house.start("one", idempotency_key="k")
    again = await house.start("two", idempotency_key="k")
    assert again == Accepted(thread_id=first.thread_id, run_id=first.run_id, created=False)
    await house.finish("one")
    assert (await house.start("three", idempotency_key="k")).run_id == first.run_id
    assert (await house.start("theirs", "bob", idempotency_key="k")).run_id != first.run_id
    await house.finish("theirs")


async def test_one_key_sent_many_times_at_once_starts_one_run():
    house = House()
    answers = await asyncio.gather(*(house.start("one", idempotency_key="k") for _ in range(10)))
    assert len({answer.run_id for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1
    assert house.running == ["one"]
    await house.finish("one")


async def test_a_repeated_key_is_answered_even_where_a_new_run_would_be_refused():
    house = House(concurrent_runs=1, queued_runs=1)
    first = await house.start("one", idempotency_key="k")
    busy = {"thread_id": first.thread_id, "if_busy": "reject"}
    assert (await house.start("one", idempotency_key="k", **busy)).run_id == first.run_id
    await house.start("two")
    with pytest.raises(LimitExceededError):
        await house.start("three", idempotency_key="other")
    assert (await house.start("one", idempotency_key="k")).run_id == first.run_id
    draining = asyncio.create_task(house.scheduler.drain(5))
    await house.settle()
    assert (await house.start("one", idempotency_key="k")).run_id == first.run_id
    await house.finish("one", "two")
    await draining


async def test_reject_refuses_while_the_thread_is_busy():
    house = House()
    first = await house.start("one")
    with pytest.raises(ConflictError) as caught:
        await house.start("two", thread_id=first.thread_id, if_busy="reject")
    assert caught.value.code == "thread_busy"
    assert await house.messages(first.thread_id) == ["one"]
    await house.finish("one")
    second = await house.start("two", thread_id=first.thread_id, if_busy="reject")
    assert second.thread_id == first.thread_id
    await house.finish("two")


async def test_enqueue_runs_after_the_others_of_the_thread():
    house = House()
    first = await house.start("one")
    second = await house.start("two", thread_id=first.thread_id)
    third = await house.start("three", thread_id=first.thread_id)
    assert house.running == ["one"]
    assert [await house.state(run) for run in (first, second, third)] == ["running", "queued", "queued"]
    await house.finish("one")
    assert house.running == ["two"]
    await house.finish("two", "three")
    events = events_of(house.runtime)
    queued = [(event.run_id, event.data["position"]) for event in events if event.type == "run_queued"]
    assert queued == [(second.run_id, 1), (third.run_id, 2)]
    assert house.histories["two"] == ["one", "answer to one"], "what was asked after it is not its history"
    assert house.histories["three"] == ["one", "answer to one", "two", "answer to two"]


async def test_interrupt_cancels_the_others_of_the_thread_first():
    house = House()
    first = await house.start("one")
    second = await house.start("two", thread_id=first.thread_id)
    elsewhere = await house.start("elsewhere")
    third = await house.start("three", thread_id=first.thread_id, if_busy="interrupt")
    await asyncio.sleep(0.01)
    assert [await house.state(run) for run in (first, second, elsewhere, third)] == [
        "cancelled",
        "cancelled",
        "running",
        "running",
    ]
    assert "one" in await house.messages(first.thread_id)
    await house.finish("three", "elsewhere")
    events_of(house.runtime)


async def test_rollback_takes_the_others_out_of_the_thread():
    house = House()
    zeroth = await house.start("zero")
    await house.finish("zero")
    thread_id = zeroth.thread_id
    await house.start("one", thread_id=thread_id)
    await house.start("two", thread_id=thread_id)
    await house.start("three", thread_id=thread_id, if_busy="rollback")
    await asyncio.sleep(0.01)
    assert house.running == ["three"]
    assert house.histories["three"] == ["zero", "answer to zero"]
    await house.finish("three")
    assert await house.messages(thread_id) == ["zero", "answer to zero", "three", "answer to three"]
    events_of(house.runtime)


async def test_a_thread_that_is_not_busy_is_not_touched_by_rollback():
    house = House()
    first = await house.start("one")
    await house.finish("one")
    await house.start("two", thread_id=first.thread_id, if_busy="rollback")
    await house.finish("two")
    assert len(await house.messages(first.thread_id)) == 4


@pytest.mark.parametrize("if_busy", ["interrupt", "rollback"])
async def test_a_run_starts_when_those_cancelled_for_it_have_ended(if_busy: str):
    house = House()
    slow_down(house.runtime)
    first = await house.start("one")
    second = await house.start("two", thread_id=first.thread_id)
    third = await house.start("three", thread_id=first.thread_id, if_busy=if_busy)
    await asyncio.sleep(0.01)
    await house.finish("three")
    await asyncio.sleep(0.01)
    events = [(event.type, event.run_id) for event in events_of(house.runtime)]
    started = events.index(("agent_started", third.run_id))
    for other in (first, second):
        assert events.index(("agent_completed", other.run_id)) < started


async def test_of_two_that_both_want_a_free_thread_one_is_refused():
    house = House()
    thread_id = (await house.start("zero")).thread_id
    await house.finish("zero")
    create_run = house.runtime.runs.create_run

    async def slowly(*arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(0)
        return await create_run(*arguments, **named)

    house.runtime.runs.create_run = slowly  # type: ignore[method-assign]
    answers = await asyncio.gather(
        *(house.start(name, thread_id=thread_id, if_busy="reject") for name in ("one", "two")), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Accepted", "ConflictError"]
    await house.finish("one", "two")


async def test_run_queued_comes_first_however_long_it_takes_to_write():
    house = House()
    append = house.runtime.log.append

    async def slow_for_queued(context: UserContext, drafts: Any) -> Any:
        if drafts[0].type == "run_queued":
            for _ in range(60):
                await asyncio.sleep(0)
        return await append(context, drafts)

    house.runtime.log.append = slow_for_queued  # type: ignore[method-assign]
    first = await house.start("one")
    starting = asyncio.create_task(house.start("two", thread_id=first.thread_id))
    await asyncio.sleep(0)
    await house.finish("one", "two")
    second = await starting
    await house.settle()
    events = [event for event in events_of(house.runtime) if event.run_id == second.run_id]
    assert outline(events) == ["run_queued", "agent_started", "agent_completed succeeded"]


async def test_cancel_may_be_repeated_until_the_run_is_over():
    house = House()
    first = await house.start("one")
    user = house.runtime.user()
    answers = [await house.scheduler.cancel(user, first.run_id) for _ in range(3)]
    assert {answer.run_id for answer in answers} == {first.run_id}
    await house.settle()
    assert await house.state(first) == "cancelled"
    with pytest.raises(ConflictError) as caught:
        await house.cancel(first)
    assert caught.value.code == "run_over"
    events_of(house.runtime)


async def test_a_cancelled_run_that_waited_has_a_beginning_and_an_end():
    house = House()
    first = await house.start("one")
    second = await house.start("two", thread_id=first.thread_id)
    third = await house.start("three", thread_id=first.thread_id)
    await house.cancel(second)
    assert await house.state(second) == "cancelled"
    assert house.running == ["one"]
    await house.finish("one")
    assert house.running == ["three"]
    await house.finish("three")
    events = events_of(house.runtime)
    assert outline([event for event in events if event.run_id == second.run_id]) == [
        "run_queued",
        "agent_started",
        "agent_completed cancelled",
    ]
    assert await house.state(third) == "succeeded"


async def test_a_run_that_is_cancelled_at_any_moment_ends_as_cancelled():
    for moments in range(25):
        house = House()
        accepted = await house.scheduler.start(house.runtime.user(), RunRequest(input="one", agent="waiter"))
        for _ in range(moments):
            await asyncio.sleep(0)
        await house.cancel(accepted)
        assert await house.state(accepted) == "cancelled"
        events_of(house.runtime)


async def test_another_users_run_cannot_be_cancelled_and_answers_like_a_missing_one():
    house = House()
    theirs = await house.start("theirs", "bob")
    answers = []
    for run_id in (theirs.run_id, RunId("never-was")):
        with pytest.raises(NotFoundError) as caught:
            await house.scheduler.cancel(house.runtime.user("ada"), run_id)
        answers.append(str(caught.value))
    assert answers[0] == answers[1]
    assert await house.state(theirs, "bob") == "running"
    await house.finish("theirs")


async def test_a_user_runs_so_many_at_once_and_others_still_run():
    house = House(concurrent_runs=2)
    for number in range(4):
        await house.start(f"a{number}")
    await house.start("b0", "bob")
    assert sorted(house.running) == ["a0", "a1", "b0"]
    await house.finish("a1")
    assert sorted(house.running) == ["a0", "a2", "b0"]
    await house.finish("a0", "a2", "a3", "b0")


async def test_many_waiting_runs_delay_another_user_by_at_most_one_slot():
    house = House(slots=1, concurrent_runs=8)
    for number in range(60):
        await house.start(f"a{number}")
    await house.start("b", "bob")
    await house.finish("a0")
    if house.running != ["b"]:
        await house.finish(*house.running)
    assert house.running == ["b"]
    for number in range(60):
        house.gates.setdefault(f"a{number}", asyncio.Event()).set()
    await house.finish("b")
    while house.scheduler.statistics().users:
        await asyncio.sleep(0)
    events_of(house.runtime)


async def test_too_many_waiting_runs_are_refused():
    house = House(concurrent_runs=1, queued_runs=2)
    runs = [await house.start(f"a{number}") for number in range(3)]
    with pytest.raises(LimitExceededError) as caught:
        await house.start("one too many")
    assert caught.value.limit == "queued_runs"
    assert len(await house.runtime.threads.list_threads(house.runtime.user())) == 3
    await house.start("b", "bob")
    await house.cancel(runs[2])
    await house.start("fits again")
    await house.finish("a0", "a1", "b", "fits again")


async def test_draining_refuses_new_runs_and_lets_old_ones_end():
    house = House()
    accepted = await house.start("one")
    draining = asyncio.create_task(house.scheduler.drain(5))
    await house.settle()
    with pytest.raises(ConflictError) as caught:
        await house.start("two")
    assert caught.value.code == "going_away"
    assert house.scheduler.statistics().draining
    await house.finish("one")
    await draining
    assert await house.state(accepted) == "succeeded"


async def test_what_drains_too_slowly_is_interrupted_queued_runs_included():
    house = House()
    first = await house.start("one")
    second = await house.start("two", thread_id=first.thread_id)
    await house.scheduler.drain(0.01)
    assert [await house.state(run) for run in (first, second)] == ["interrupted", "interrupted"]
    events_of(house.runtime)
    await house.scheduler.drain(0)


async def test_a_run_that_started_while_draining_began_is_not_forgotten():
    house = House()
    starting = [asyncio.create_task(house.start(f"a{number}")) for number in range(3)]
    await asyncio.sleep(0)
    await house.scheduler.drain(0)
    ended = await asyncio.gather(*starting, return_exceptions=True)
    for answer in ended:
        assert isinstance(answer, ConflictError) or await house.state(answer) == "interrupted"  # type: ignore[arg-type]
    events_of(house.runtime)


async def test_draining_waits_for_a_run_that_is_just_being_recorded():
    house = House()
    go = asyncio.Event()
    create_run = house.runtime.runs.create_run

    async def slowly(*arguments: Any, **named: Any) -> Any:
        await go.wait()
        return await create_run(*arguments, **named)

    house.runtime.runs.create_run = slowly  # type: ignore[method-assign]
    starting = asyncio.create_task(house.start("one"))
    await house.settle()
    draining = asyncio.create_task(house.scheduler.drain(0))
    await house.settle()
    assert not draining.done()
    go.set()
    await draining
    assert house.scheduler.statistics().users == 0
    assert await house.state(await starting) == "interrupted"


async def test_a_run_that_is_cancelled_while_its_history_is_read_never_starts_its_agent():
    house = House()
    thread = await house.runtime.threads.create_thread(house.runtime.user(), "Bills")
    go = asyncio.Event()
    list_messages = house.runtime.threads.list_messages

    async def slowly(*arguments: Any, **named: Any) -> Any:
        await go.wait()
        return await list_messages(*arguments, **named)

    house.runtime.threads.list_messages = slowly  # type: ignore[method-assign]
    accepted = await house.start("one", thread_id=thread.thread_id)
    await house.cancel(accepted)
    go.set()
    await house.settle()
    assert await house.state(accepted) == "cancelled"
    assert house.histories == {}
    events_of(house.runtime)


async def test_a_client_that_leaves_while_its_run_is_recorded_still_gets_it():
    house = House()
    recorded = asyncio.Event()
    create_run = house.runtime.runs.create_run

    async def slowly(*arguments: Any, **named: Any) -> Any:
        await recorded.wait()
        return await create_run(*arguments, **named)

    house.runtime.runs.create_run = slowly  # type: ignore[method-assign]
    starting = asyncio.create_task(house.start("one"))
    await house.settle()
    starting.cancel()
    await house.settle()
    recorded.set()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await house.settle()
    assert house.running == ["one"]
    await house.finish("one")


async def test_a_run_never_inherits_the_user_whose_run_made_room():
    house = House(slots=1)
    with ambient_context(house.runtime.user("ada")):
        await house.start("a", "ada")
    with ambient_context(house.runtime.user("bob")):
        theirs = await house.start("b", "bob")
    await house.finish("a", "b")
    assert await house.state(theirs, "bob") == "succeeded"


@pytest.mark.parametrize("times", [1, 2, 3, 4, 5])
async def test_a_run_whose_log_refuses_ends_when_it_takes_events_again(times: int):
    house = House(concurrent_runs=1)
    house.runtime.log.fail(*[StorageError("full")] * times)
    first = await house.start("one")
    second = await house.start("two")
    await house.finish("one", "two")
    while await house.state(second) != "succeeded":
        await asyncio.sleep(0.01)
    assert await house.state(first) == "failed"
    assert house.scheduler.statistics().running == 0
    assert "run_queued" not in [event.type for event in events_of(house.runtime) if event.run_id == first.run_id]


@pytest.mark.parametrize("times", [1, 2, 4])
async def test_an_end_that_the_log_refuses_is_written_when_it_takes_events_again(times: int):
    house = House()
    accepted = await house.start("one")
    house.runtime.log.fail(*[StorageError("full")] * times)
    await house.finish("one")
    while await house.state(accepted) == "running":
        await asyncio.sleep(0.01)
    assert await house.state(accepted) == "failed"
    last = events_of(house.runtime)[-1]
    assert (last.type, last.data["error"]["code"]) == ("agent_completed", "storage_failed")


async def test_a_scheduler_that_drains_leaves_what_the_log_refuses_to_the_next_start():
    house = House()
    await house.start("one")
    house.runtime.log.fail(*[StorageError("full")] * 100)
    await house.finish("one")
    await house.scheduler.drain(0.1)
    assert house.scheduler.statistics().running == 0


async def test_a_run_whose_history_cannot_be_read_ends_as_failed():
    house = House()

    async def refuse(*arguments: Any, **named: Any) -> Any:
        raise StorageError("broken")

    thread = await house.runtime.threads.create_thread(house.runtime.user(), "Bills")
    house.runtime.threads.list_messages = refuse  # type: ignore[method-assign]
    accepted = await house.start("one", thread_id=thread.thread_id)
    assert await house.state(accepted) == "failed"
    assert events_of(house.runtime)[-1].data["error"]["code"] == "storage_failed"


async def test_a_run_whose_waiting_cannot_be_told_runs_all_the_same():
    house = House()
    first = await house.start("one")
    house.runtime.log.fail(StorageError("full"))
    second = await house.start("two", thread_id=first.thread_id)
    await house.finish("one", "two")
    assert await house.state(second) == "succeeded"
    events_of(house.runtime)


async def test_permissions_come_from_the_user():
    seen: list[frozenset[str]] = []

    async def looker(run: AgentRun) -> str:
        """Look."""
        seen.append(run.context.permissions)
        return ""

    runtime = MemoryRuntime([looker])
    user: UserContext = runtime.user(permissions=frozenset({"usage:read"}))
    await runtime.scheduler.start(user, RunRequest(input="x", agent="looker"))
    await House.settle()
    assert seen == [frozenset({"usage:read"})]


async def test_runs_per_minute_are_refused_with_the_time_to_wait_in_whichever_thread():
    house = House(runs_per_minute=2)
    house.runtime.engines.meters._clock = lambda: 1000.0
    first = await house.start("one")
    await house.start("two")
    for thread_id in (None, first.thread_id):
        with pytest.raises(LimitExceededError, match="runs_per_minute is 2; try again in 30 s"):
            await house.start("three", thread_id=thread_id)
    await house.start("of bob", "bob")
    mine = house.runtime.engines.meters.of(UserId("ada")).statistics()
    assert (mine.runs_started, mine.refused) == (2, {"runs_per_minute": 2})
    assert len(await house.runtime.threads.list_threads(house.runtime.user())) == 2
    await house.finish("one", "two", "of bob")


async def test_a_repeated_key_is_no_run_and_is_answered_beyond_the_limit():
    house = House(runs_per_minute=1)
    house.runtime.engines.meters._clock = lambda: 1000.0
    first = await house.start("one", idempotency_key="k")
    again = await house.start("one", idempotency_key="k")
    assert (again.run_id, again.created) == (first.run_id, False)
    assert house.runtime.engines.meters.of(UserId("ada")).statistics().refused == {}
    await house.finish("one")


async def test_a_user_can_be_given_another_limit_while_runs_wait():
    house = House(concurrent_runs=1)
    for name in ("a", "b", "c"):
        await house.start(name)
    await house.start("x", "bob")
    await house.start("y", "bob")
    assert house.running == ["a", "x"]
    house.scheduler.override(UserId("ada"), {"concurrent_runs": 3})
    await house.settle()
    assert sorted(house.running) == ["a", "b", "c", "x"]
    house.scheduler.override(UserId("ada"), {})
    await house.start("d")
    await house.finish("a", "b")
    assert sorted(house.running) == ["c", "x"]
    await house.finish("c")
    assert sorted(house.running) == ["d", "x"]
    await house.finish("d", "x", "y")


async def test_a_run_has_the_time_that_its_user_has():
    house = House()
    house.scheduler.override(UserId("ada"), {"run_seconds": 0.02})
    mine = await house.start("mine")
    await house.start("theirs", "bob")
    async with asyncio.timeout(5):
        while await house.state(mine) != "timed_out":
            await asyncio.sleep(0.005)
    assert house.running == ["theirs"]
    await house.finish("theirs")


async def test_what_waits_and_runs_is_told_to_its_user_only():
    house = House(concurrent_runs=1)
    for name in ("a", "b", "c"):
        await house.start(name)
    mine = house.scheduler.statistics_of(house.runtime.user())
    theirs = house.scheduler.statistics_of(house.runtime.user("bob"))
    assert (mine.running, mine.queued, theirs.running, theirs.queued) == (1, 2, 0, 0)
    with ambient_context(house.runtime.user("bob")), pytest.raises(IsolationError):
        house.scheduler.statistics_of(house.runtime.user())
    await house.finish("a", "b", "c")


async def test_a_thousand_queued_runs_delay_another_users_first_by_at_most_one_slot():
    house = House(slots=1, runs_per_minute=2000)
    for number in range(1000):
        await house.scheduler.start(house.runtime.user("greedy"), RunRequest(input=f"g{number}", agent="waiter"))
    late = await house.start("late", "bob")
    assert house.running == ["g0"]
    assert house.scheduler.statistics().queued == 1000
    await house.finish("g0")
    await house.finish(*house.running)
    assert await house.state(late, "bob") in ("running", "succeeded")
    for gate in [f"g{number}" for number in range(1000)]:
        house.gates.setdefault(gate, asyncio.Event()).set()
    await house.finish("late")
    await house.scheduler.drain(10.0)


@pytest.mark.parametrize("starts_refused", [0, 1])
async def test_a_run_that_never_worked_ends_though_the_log_takes_only_its_start_at_first(
    starts_refused: int, monkeypatch: pytest.MonkeyPatch
):
    house = House()
    log = house.runtime.log
    append, refusals = log.append, {"agent_started": starts_refused, "agent_completed": 2}

    async def sometimes(context: Any, drafts: Any) -> Any:
        if refusals[drafts[0].type]:
            refusals[drafts[0].type] -= 1
            raise StorageError("full")
        return await append(context, drafts)

    async def refuse(*arguments: Any, **named: Any) -> Any:
        raise StorageError("broken")

    monkeypatch.setattr(log, "append", sometimes)
    if not starts_refused:
        monkeypatch.setattr(house.runtime.threads, "list_messages", refuse)
    thread = await house.runtime.threads.create_thread(house.runtime.user(), "Bills")
    accepted = await house.start("one", thread_id=thread.thread_id)
    async with asyncio.timeout(5):
        while await house.state(accepted) != "failed":
            await asyncio.sleep(0.01)
    assert [event.type for event in events_of(house.runtime)] == ["agent_started", "agent_completed"]
    assert house.scheduler.statistics().running == 0
