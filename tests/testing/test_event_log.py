"""Tests of carrel.testing.event_log."""

from __future__ import annotations

import pytest

from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, ambient_context
from carrel.errors import IsolationError, StorageError, UnrecoverablePositionError
from carrel.events import EventDraft, decode_event, draft_event
from carrel.testing.event_log import MemoryEventLog


def context(user: str = "ann") -> UserExecutionContext:
    return UserExecutionContext(
        user_id=UserId(user), thread_id=ThreadId("t"), run_id=RunId("r"), request_id=RequestId("q")
    )


def thoughts(ctx: UserExecutionContext, count: int) -> list[EventDraft]:
    return [draft_event(ctx, "agent_thinking", "a", {"text": str(number)}) for number in range(count)]


async def test_offsets_count_from_one_without_gap_per_user():
    log = MemoryEventLog(clock=lambda: 0.0)
    ann, bob = context("ann"), context("bob")
    first = await log.append(ann, thoughts(ann, 2))
    second = await log.append(ann, thoughts(ann, 1))
    other = await log.append(bob, thoughts(bob, 1))
    assert [event.offset for event in (*first, *second)] == [1, 2, 3]
    assert [event.offset for event in other] == [1]
    assert decode_event(first[0].body).created_at == "1970-01-01T00:00:00.000000Z"
    assert decode_event(first[0].body).epoch == (await log.state(ann)).epoch != (await log.state(bob)).epoch


async def test_an_unknown_user_has_an_empty_log_with_an_epoch():
    log = MemoryEventLog()
    state = await log.state(context())
    assert state.epoch
    assert (state.oldest, state.top, state.delivered) == (1, 0, 0)
    assert await log.read(context(), 0, 5) == []
    assert log.events(context("bob")) == ()


async def test_read_gives_at_most_the_limit_after_the_position():
    log = MemoryEventLog()
    await log.append(context(), thoughts(context(), 5))
    assert [event.offset for event in await log.read(context(), 1, 3)] == [2, 3, 4]
    assert await log.read(context(), 5, 3) == []


async def test_read_refuses_what_was_trimmed_and_what_never_was():
    log = MemoryEventLog()
    await log.append(context(), thoughts(context(), 5))
    log.trim(context(), keep=2)
    assert [event.offset for event in await log.read(context(), 3, 9)] == [4, 5]
    assert (await log.state(context())).oldest == 4
    with pytest.raises(UnrecoverablePositionError):
        await log.read(context(), 2, 9)
    with pytest.raises(UnrecoverablePositionError):
        await log.read(context(), 6, 9)


async def test_trimming_everything_keeps_the_top():
    log = MemoryEventLog()
    await log.append(context(), thoughts(context(), 3))
    log.trim(context(), keep=0)
    log.trim(context(), keep=0)
    state = await log.state(context())
    assert (state.oldest, state.top) == (4, 3)
    assert (await log.append(context(), thoughts(context(), 1)))[0].offset == 4


async def test_a_recreated_log_has_another_epoch_and_counts_from_one():
    log = MemoryEventLog()
    await log.append(context(), thoughts(context(), 3))
    before = await log.state(context())
    log.recreate(context())
    after = await log.state(context())
    assert before.epoch != after.epoch
    assert after.top == 0


async def test_the_watermark_only_rises_and_never_beyond_the_top():
    log = MemoryEventLog()
    await log.append(context(), thoughts(context(), 3))
    log.acknowledge(context(), 2)
    log.acknowledge(context(), 1)
    assert (await log.state(context())).delivered == 2
    log.acknowledge(context(), 9)
    assert (await log.state(context())).delivered == 3


async def test_a_draft_of_another_user_is_refused_and_nothing_is_written():
    log = MemoryEventLog()
    with pytest.raises(IsolationError):
        await log.append(context("ann"), [*thoughts(context("ann"), 1), *thoughts(context("bob"), 1)])
    assert log.events(context("ann")) == ()


async def test_every_method_refuses_another_users_context_while_working_for_a_user():
    log = MemoryEventLog()
    bob = context("bob")
    with ambient_context(context("ann")):
        for call in (log.append(bob, []), log.read(bob, 0, 1), log.state(bob)):
            with pytest.raises(IsolationError):
                await call
        with pytest.raises(IsolationError):
            log.held(bob, 0, 1)
        with pytest.raises(IsolationError):
            log.acknowledge(bob, 0)


async def test_the_hook_sees_the_drafts_once_they_are_in_the_log():
    seen: list[tuple[int, int]] = []
    log = MemoryEventLog(on_append=lambda drafts: seen.append((len(drafts), len(log.events(context())))))
    await log.append(context(), thoughts(context(), 2))
    assert seen == [(2, 2)]


async def test_an_injected_failure_happens_once_and_writes_nothing():
    log = MemoryEventLog()
    log.fail(StorageError("the disk is full; free some space"))
    with pytest.raises(StorageError):
        await log.append(context(), thoughts(context(), 1))
    assert log.events(context()) == ()
    await log.append(context(), thoughts(context(), 1))
    assert len(log.events(context())) == 1
