"""Tests of carrel.server.commands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import structlog

from carrel.context import RequestId, RunId, ThreadId, UserContext, UserId, check_ambient
from carrel.delivery.actions import Command
from carrel.delivery.frames import (
    AcceptedFrame,
    CancelRunFrame,
    ErrorFrame,
    ResolveApprovalFrame,
    ServerFrame,
    StartRunFrame,
    encode_frame,
)
from carrel.delivery.log import LogState
from carrel.delivery.session import DeliverySession
from carrel.errors import CarrelError, ConflictError, IsolationError, LimitExceededError, NotFoundError, StorageError
from carrel.runtime.run_request import Accepted, RunRequest
from carrel.server.commands import MOST_WAITING, CommandQueue

ANN = UserContext(user_id=UserId("ann"), request_id=RequestId("connection"))


class Scheduler:
    """Notes what it is asked, in order; waits while `gate` is closed and raises `error` when there is one."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[tuple[UserContext, object]] = []
        self.error: Exception | None = None

    async def start(self, user: UserContext, request: RunRequest) -> Accepted:
        return await self._do(user, request, request.idempotency_key or "")

    async def cancel(self, user: UserContext, run_id: RunId) -> Accepted:
        return await self._do(user, run_id, run_id)

    async def _do(self, user: UserContext, what: object, run: str) -> Accepted:
        check_ambient(user, "the scheduler")
        with pytest.raises(IsolationError):
            check_ambient(replace(user, user_id=UserId("bob")), "the scheduler")
        self.asked.append((user, what))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Accepted(thread_id=ThreadId("t"), run_id=RunId(run), created=True)


class Desk:
    """A queue with its session and scheduler."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.session = DeliverySession(0.0)
        self.session.authenticated("ann", LogState("e", 1, 0, 0), None, expires_in=60.0, now=0.0)
        self.session.next_action(0.0)
        self.session.sent()
        self.woken = 0
        self.queue = CommandQueue(self.scheduler, self.session, self.wake)

    def wake(self) -> None:
        self.woken += 1

    async def answers(self, *commands: Command) -> list[ServerFrame]:
        for command in commands:
            self.queue.put(ANN, command)
        await self.queue.finish()
        found: list[ServerFrame] = []
        while isinstance(action := self.session.next_action(0.0), AcceptedFrame | ErrorFrame):
            found.append(action)
            self.session.sent()
        return found


def start(number: int = 1, **changes: str) -> StartRunFrame:
    return StartRunFrame(**{"id": str(number), "input": "hello", **changes})  # type: ignore[arg-type]


async def test_commands_are_carried_out_in_order_and_answered():
    desk = Desk()
    answers = await desk.answers(start(1), CancelRunFrame("2", "r"), start(3))
    assert answers == [AcceptedFrame("1", "t", "1"), AcceptedFrame("2", "t", "r"), AcceptedFrame("3", "t", "3")]
    assert desk.woken == 3


async def test_a_frames_fields_become_the_request():
    desk = Desk()
    await desk.answers(start(1, thread_id="t-9", agent="data", if_busy="interrupt"))
    _, request = desk.scheduler.asked[0]
    assert request == RunRequest(
        input="hello",
        thread_id=ThreadId("t-9"),
        agent="data",
        if_busy="interrupt",
        idempotency_key="1",
    )


async def test_each_command_is_a_request_of_its_own_of_the_same_user():
    desk = Desk()
    await desk.answers(start(1), start(2))
    users = [user for user, _ in desk.scheduler.asked]
    assert {user.user_id for user in users} == {"ann"}
    assert len({user.request_id for user in users} | {ANN.request_id}) == 3


async def test_a_crossed_limit_is_named_and_says_when_to_come_again():
    desk = Desk()
    desk.scheduler.error = LimitExceededError("runs_per_minute", 2, 30.0)
    (limited,) = await desk.answers(start(1))
    desk.scheduler.error = ConflictError("thread_busy", "busy")
    (busy,) = await desk.answers(start(2))
    assert isinstance(limited, ErrorFrame)
    assert (limited.id, limited.code, limited.limit, limited.retry_after) == (
        "1",
        "limit_exceeded",
        "runs_per_minute",
        30,
    )
    assert encode_frame(busy) == b'{"type":"error","code":"thread_busy","message":"busy","id":"2"}'


async def test_nothing_waits_for_an_approval_yet():
    assert await Desk().answers(ResolveApprovalFrame("1", "c", True)) == [
        ErrorFrame("not_found", "no such approval; nothing waits for one", "1")
    ]


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (NotFoundError("thread"), "not_found", "no such thread"),
        (ConflictError("thread_busy", "a run is open"), "thread_busy", "a run is open"),
        (LimitExceededError("runs", 3), "limit_exceeded", "limit runs is 3"),
        (StorageError("the disk /dev/sda is full"), "storage_unavailable", "something went wrong here"),
        (CarrelError("a secret"), "internal_error", "something went wrong here"),
        (RuntimeError("a secret"), "internal_error", "something went wrong here"),
    ],
)
async def test_an_error_is_answered_and_the_next_command_is_carried_out(error: Exception, code: str, shown: str):
    desk = Desk()
    desk.scheduler.error = error
    with structlog.testing.capture_logs():
        answers = await desk.answers(start(1))
    assert isinstance(answers[0], ErrorFrame)
    assert (answers[0].code, answers[0].id) == (code, "1")
    assert answers[0].message.startswith(shown)
    assert "secret" not in answers[0].message
    desk.scheduler.error = None
    assert await desk.answers(start(2)) == [AcceptedFrame("2", "t", "2")]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (start(1, input="  "), "input: is empty"),
        (start(1, input="x" * 40_000), "input: is longer"),
        (start(1, input="a\0b"), "input: contains a NUL"),
        (StartRunFrame("a\nb", "hello"), "id: must be 1 to 128 printable characters"),
    ],
)
async def test_a_value_that_is_not_accepted_is_named_as_the_client_knows_it(frame: StartRunFrame, message: str):
    answers = await Desk().answers(frame)
    assert isinstance(answers[0], ErrorFrame)
    assert answers[0].message.startswith(message)


async def test_too_many_commands_at_once_are_refused():
    desk = Desk()
    desk.scheduler.gate.clear()
    desk.queue.put(ANN, start(0))
    while not desk.scheduler.asked:
        await asyncio.sleep(0)
    for number in range(1, MOST_WAITING + 2):
        desk.queue.put(ANN, start(number))
    refused = desk.session.next_action(0.0)
    desk.session.sent()
    assert isinstance(refused, ErrorFrame)
    assert (refused.code, refused.id) == ("too_many_requests", str(MOST_WAITING + 1))
    desk.scheduler.gate.set()
    assert len(await desk.answers()) == MOST_WAITING + 1


async def test_finishing_without_any_command_is_over_at_once():
    await Desk().queue.finish()
