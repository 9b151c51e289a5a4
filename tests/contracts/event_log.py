"""What every `EventLog` promises."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carrel.context import UserContext, ambient_context, new_id
from carrel.delivery.log import EventLog, LoggedEvent
from carrel.errors import IsolationError, UnrecoverablePositionError
from carrel.events import decode_event, draft_event
from tests.contracts.subjects import completed, run_context, started, thought, user, whole_run

Trim = Callable[[UserContext, int], Awaitable[None]]


def offsets(events: Sequence[LoggedEvent]) -> list[int]:
    return [event.offset for event in events]


def texts(events: Sequence[LoggedEvent]) -> list[str]:
    return [decode_event(event.body).data["text"] for event in events]


async def everything(log: EventLog, context: UserContext, limit: int = 64) -> list[LoggedEvent]:
    """The user's log, read as a client does."""
    state = await log.state(context)
    found: list[LoggedEvent] = []
    while part := await log.read(context, state.oldest - 1 + len(found), limit):
        found.extend(part)
    return found


class EventLogContract:
    """Needs the fixtures `log`, and `trim(context, keep)`, which forgets all but the newest `keep` events."""

    async def test_a_new_log_is_empty_and_has_an_epoch_that_stays(self, log: EventLog) -> None:
        state = await log.state(user("ada"))
        assert state.epoch
        assert (state.oldest, state.top, state.delivered) == (1, 0, 0)
        assert await log.state(user("ada")) == state
        await log.append(ada := run_context("ada"), [thought(ada)])
        assert (await log.state(ada)).epoch == state.epoch

    async def test_every_users_log_has_an_epoch_of_its_own(self, log: EventLog) -> None:
        assert (await log.state(user("ada"))).epoch != (await log.state(user("bob"))).epoch

    async def test_offsets_count_from_one(self, log: EventLog) -> None:
        ada = run_context("ada")
        assert offsets(await log.append(ada, [thought(ada), thought(ada)])) == [1, 2]
        assert offsets(await log.append(ada, [thought(ada)])) == [3]
        assert (await log.state(ada)).top == 3

    async def test_an_event_is_read_as_it_was_appended(self, log: EventLog) -> None:
        ada = run_context("ada")
        drafts = whole_run(ada)
        logged = await log.append(ada, drafts)
        epoch = (await log.state(ada)).epoch
        assert list(await log.read(ada, 0, 64)) == list(logged)
        for draft, event in zip(drafts, logged, strict=True):
            decoded = decode_event(event.body)
            assert (decoded.offset, decoded.epoch, decoded.run_id) == (event.offset, epoch, event.run_id)
            for field in ("type", "event_id", "user_id", "thread_id", "run_id", "request_id", "agent", "data"):
                assert getattr(decoded, field) == getattr(draft, field)
            assert decoded.parent_request_id is None
            assert decoded.created_at.endswith("Z")
        assert [event.ends_run for event in logged] == [False, False, False, False, True]

    async def test_the_end_of_a_sub_agent_does_not_end_the_run(self, log: EventLog) -> None:
        ada = run_context("ada")
        child = ada.child(parent_agent="agent", agent="other")
        logged = await log.append(ada, [started(ada), started(child), completed(child), completed(ada)])
        assert [event.ends_run for event in logged] == [False, False, False, True]

    async def test_appending_nothing_changes_nothing(self, log: EventLog) -> None:
        assert list(await log.append(user("ada"), [])) == []
        assert (await log.state(user("ada"))).top == 0

    async def test_reading_from_any_position_gives_the_rest_in_order(self, log: EventLog) -> None:
        ada = run_context("ada")
        for number in range(12):
            await log.append(ada, [thought(ada, str(number))])
        for after in range(13):
            assert offsets(await log.read(ada, after, 64)) == list(range(after + 1, 13))
            assert offsets(await log.read(ada, after, 1)) == list(range(after + 1, 13))[:1]
        assert texts(await log.read(ada, 3, 4)) == ["3", "4", "5", "6"]

    async def test_a_position_beyond_the_top_cannot_be_read(self, log: EventLog) -> None:
        ada = run_context("ada")
        await log.append(ada, [thought(ada)])
        assert list(await log.read(ada, 1, 64)) == []
        with pytest.raises(UnrecoverablePositionError) as caught:
            await log.read(ada, 2, 64)
        assert (caught.value.after, caught.value.oldest, caught.value.top) == (2, 1, 1)

    async def test_what_was_trimmed_cannot_be_read_and_the_rest_can(self, log: EventLog, trim: Trim) -> None:
        ada = run_context("ada")
        await log.append(ada, [thought(ada, str(number)) for number in range(1, 6)])
        before = await log.state(ada)
        await trim(ada, 2)
        state = await log.state(ada)
        assert state == before._replace(oldest=4)
        with pytest.raises(UnrecoverablePositionError) as caught:
            await log.read(ada, 2, 64)
        assert (caught.value.after, caught.value.oldest, caught.value.top) == (2, 4, 5)
        assert texts(await log.read(ada, 3, 64)) == ["4", "5"]
        assert offsets(await log.append(ada, [thought(ada)])) == [6]

    async def test_a_log_that_was_trimmed_to_nothing_goes_on_counting(self, log: EventLog, trim: Trim) -> None:
        ada = run_context("ada")
        await log.append(ada, [thought(ada), thought(ada)])
        await trim(ada, 0)
        state = await log.state(ada)
        assert (state.oldest, state.top) == (3, 2)
        assert list(await log.read(ada, 2, 64)) == []
        assert offsets(await log.append(ada, [thought(ada)])) == [3]

    async def test_another_users_draft_is_refused_with_all_that_came_with_it(self, log: EventLog) -> None:
        ada, bob = run_context("ada"), run_context("bob")
        with pytest.raises(IsolationError):
            await log.append(ada, [thought(ada), thought(bob)])
        assert [(await log.state(one)).top for one in (ada, bob)] == [0, 0]

    async def test_nothing_works_while_working_for_another_user(self, log: EventLog) -> None:
        ada, bob = run_context("ada"), run_context("bob")
        calls: list[Callable[[], Awaitable[Any]]] = [
            lambda: log.append(ada, [thought(ada)]),
            lambda: log.read(ada, 0, 1),
            lambda: log.state(ada),
        ]
        at_once: list[Callable[[], object]] = [lambda: log.held(ada, 0, 1), lambda: log.acknowledge(ada, 1)]
        with ambient_context(bob):
            for call in calls:
                with pytest.raises(IsolationError):
                    await call()
            for ask in at_once:
                with pytest.raises(IsolationError):
                    ask()
        assert (await log.state(ada)).top == 0

    async def test_what_json_cannot_carry_fails_alone_and_takes_no_offset(self, log: EventLog) -> None:
        ada, bob = run_context("ada"), run_context("bob")
        bad = draft_event(ada, "agent_thinking", "agent", {"text": object()})
        results = await asyncio.gather(
            log.append(ada, [thought(ada, "1")]),
            log.append(ada, [thought(ada, "never"), bad]),
            log.append(bob, [thought(bob, "1")]),
            log.append(ada, [thought(ada, "2")]),
            return_exceptions=True,
        )
        assert isinstance(results[1], (TypeError, ValueError))
        assert texts(await everything(log, ada)) == ["1", "2"]
        assert texts(await everything(log, bob)) == ["1"]

    async def test_concurrent_appends_leave_no_gap_and_stay_together(self, log: EventLog) -> None:
        async def write(name: str, number: int) -> Sequence[LoggedEvent]:
            context = run_context(name)
            return await log.append(context, [thought(context, f"{number}.{part}") for part in range(3)])

        await asyncio.gather(*(write(name, number) for number in range(40) for name in ("ada", "bob")))
        for name in ("ada", "bob"):
            events = await everything(log, user(name), limit=7)
            assert offsets(events) == list(range(1, 121))
            together = [text.split(".") for text in texts(events)]
            assert all(together[at][0] == together[at + 1][0] == together[at + 2][0] for at in range(0, 120, 3))
            assert {decode_event(event.body).user_id for event in events} == {name}

    async def test_a_cancelled_append_is_carried_out_before_later_ones(self, log: EventLog) -> None:
        ada = run_context("ada")
        task = asyncio.create_task(log.append(ada, [thought(ada, "first")]))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await log.append(ada, [thought(ada, "second")])
        assert texts(await everything(log, ada)) == ["first", "second"]

    async def test_what_is_held_is_what_would_be_read(self, log: EventLog) -> None:
        ada, bob = run_context("ada"), run_context("bob")
        await log.append(bob, [thought(bob)])
        for _ in range(3):
            await log.append(ada, [thought(ada) for _ in range(3)])
            top = (await log.state(ada)).top
            for after in range(top + 2):
                held = log.held(ada, after, 4)
                assert held is None or list(held) == list(await log.read(ada, after, 4)) != []
            assert log.held(ada, top, 4) is None

    async def test_the_watermark_only_rises_and_never_above_the_top(self, log: EventLog) -> None:
        ada = run_context("ada")
        log.acknowledge(ada, 5)
        assert (await log.state(ada)).delivered == 0
        await log.append(ada, [thought(ada) for _ in range(4)])
        for offset, delivered in ((2, 2), (1, 2), (3, 3), (99, 4)):
            log.acknowledge(ada, offset)
            assert (await log.state(ada)).delivered == delivered
        assert (await log.state(user("bob"))).delivered == 0

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 5), st.booleans()), max_size=12))
    async def test_interleaved_users_each_read_what_they_wrote(
        self, log: EventLog, steps: list[tuple[int, int, bool]]
    ) -> None:
        names = (f"ada-{new_id()}", f"bob-{new_id()}")
        written: tuple[list[str], list[str]] = ([], [])
        waiting: list[Awaitable[Any]] = []
        for which, count, wait in steps:
            context = run_context(names[which])
            said = [f"{names[which]} {len(written[which]) + number}" for number in range(count)]
            written[which].extend(said)
            waiting.append(asyncio.ensure_future(log.append(context, [thought(context, text) for text in said])))
            if wait:
                await waiting[-1]
        await asyncio.gather(*waiting)
        for name, said in zip(names, written, strict=True):
            events = await everything(log, user(name), limit=3)
            assert texts(events) == said
            assert offsets(events) == list(range(1, len(said) + 1))
