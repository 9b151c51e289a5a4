"""Tests of carrel.server.sse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest

from carrel.context import RunId, ambient_context
from carrel.delivery import manager as manager_module
from carrel.delivery import session as session_module
from carrel.errors import LimitExceededError, StorageError
from carrel.events import draft_event
from carrel.runtime.run_request import RunRequest
from carrel.server.sse import EventResponse, EventStream
from tests.server.live import Stage, context_of, identity_of


class Reader:
    """A client of one stream: takes its blocks apart as an EventSource does."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self.stream = stream
        self.buffer = b""

    async def block(self) -> dict[str, str]:
        """The next block's fields; a comment is the field "" ."""
        while b"\n\n" not in self.buffer:
            self.buffer += await anext(self.stream)
        block, _, self.buffer = self.buffer.partition(b"\n\n")
        fields = {}
        for line in block.decode().split("\n"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        return fields

    async def event(self) -> tuple[str, str, dict[str, Any]]:
        """The next event: id, type and data; comments are passed over."""
        while True:
            fields = await self.block()
            if "data" in fields:
                return fields.get("id", ""), fields["event"], msgspec.json.decode(fields["data"])

    async def rest(self) -> bytes:
        return self.buffer + b"".join([piece async for piece in self.stream])

    async def close(self) -> None:
        await cast("Any", self.stream).aclose()


def follow(
    stage: Stage,
    user: str = "ann",
    after: tuple[str, int] | None = None,
    *,
    run: str | None = None,
    until_run_ends: bool = False,
    session: str = "s",
    seconds: float = 600.0,
) -> Reader:
    identity = identity_of(user, session, seconds=seconds)
    run_id = RunId(run) if run is not None else None
    return Reader(EventStream(stage.services, identity, run_id, until_run_ends=until_run_ends).follow(after))


async def begun(reader: Reader) -> Reader:
    assert await reader.block() == {"": "ready"}
    return reader


async def test_events_have_their_position_type_and_body():
    stage = Stage()
    reader = await begun(follow(stage))
    await stage.write("bob", 1)
    await stage.write("ann", 2)
    state = await stage.log.state(context_of("ann"))
    for offset in (1, 2):
        position, kind, event = await reader.event()
        assert position == f"{state.epoch}:{offset}"
        assert kind == event["type"] == "agent_thinking"
        assert (event["offset"], event["user_id"]) == (offset, "ann")
    await reader.close()
    assert stage.connections.statistics().connections == 0
    await stage.connections.close_all(4000, "over", 0.0)


async def test_a_reader_resumes_after_the_last_event_it_had():
    stage = Stage()
    await stage.write("ann", 5)
    epoch = (await stage.log.state(context_of("ann"))).epoch
    reader = await begun(follow(stage, after=(epoch, 3)))
    assert [(await reader.event())[2]["offset"] for _ in range(2)] == [4, 5]
    await reader.close()
    await stage.connections.close_all(4000, "over", 0.0)


async def test_without_a_position_it_follows_from_now():
    stage = Stage()
    await stage.write("ann", 5)
    reader = await begun(follow(stage))
    await stage.write("ann", 1)
    assert (await reader.event())[2]["offset"] == 6
    await reader.close()
    await stage.connections.close_all(4000, "over", 0.0)


@pytest.mark.parametrize(("epoch", "offset"), [("other", 3), (None, 1), (None, 99)])
async def test_what_cannot_be_resumed_is_a_gap_and_then_the_top_is_followed(epoch: str | None, offset: int):
    stage = Stage()
    await stage.write("ann", 5)
    stage.log.trim(context_of("ann"), keep=2)
    state = await stage.log.state(context_of("ann"))
    reader = follow(stage, after=(epoch or state.epoch, offset))
    position, kind, data = await reader.event()
    assert (position, kind) == (f"{state.epoch}:5", "gap")
    assert data == {"epoch": state.epoch, "oldest": 4, "top": 5}
    await stage.write("ann", 1)
    assert (await reader.event())[2]["offset"] == 6
    await reader.close()
    await stage.connections.close_all(4000, "over", 0.0)


async def test_one_run_can_be_followed_until_it_ends():
    stage = Stage()
    state = await stage.log.state(context_of("ann"))
    await stage.write("ann", 1, run="other")
    accepted = await stage.scheduler.start(identity_of("ann").user, RunRequest(input="hello"))
    await stage.write("ann", 1, run="other")
    reader = await begun(follow(stage, after=(state.epoch, 0), run=accepted.run_id, until_run_ends=True))
    assert [(await reader.event())[1] for _ in range(2)] == ["agent_started", "agent_completed"]
    assert await reader.rest() == b""
    assert stage.connections.statistics().connections == 0
    await stage.connections.close_all(4000, "over", 0.0)


async def test_another_runs_end_ends_nothing():
    stage = Stage()
    reader = await begun(follow(stage, run="mine", until_run_ends=True))
    context = context_of("ann", "other")
    await stage.log.append(
        context,
        [draft_event(context, "agent_started", "a", {}), draft_event(context, "agent_completed", "a", {})],
    )
    await stage.write("ann", 1, run="mine")
    assert (await reader.event())[2]["run_id"] == "mine"
    await reader.close()
    await stage.connections.close_all(4000, "over", 0.0)


async def test_a_heartbeat_is_a_comment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(manager_module, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(session_module, "HEARTBEAT_SECONDS", 0.03)
    stage = Stage()
    reader = await begun(follow(stage))
    assert await reader.block() == {"": "heartbeat"}
    await reader.close()
    await stage.connections.close_all(4000, "over", 0.0)


@pytest.mark.parametrize("ends", ["logout", "expiry", "going away"])
async def test_a_stream_ends_when_its_connection_has_to(ends: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(manager_module, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(session_module, "EXPIRY_SECONDS", 0.03)
    stage = Stage()
    reader = await begun(follow(stage, seconds=0.0 if ends == "expiry" else 600.0))
    if ends == "logout":
        await stage.connections.close_session("s", 4501, "logged\nout")
    elif ends == "going away":
        closing = asyncio.create_task(stage.connections.close_all(4000, "going away", 5.0))
        await asyncio.sleep(0)
    code = {"logout": b"4501 logged out", "expiry": b"4502", "going away": b"4000"}[ends]
    rest = await reader.rest()
    assert rest.startswith(b": closed " + code)
    assert b"data" not in rest
    if ends == "going away":
        await closing
    await stage.connections.close_all(4000, "over", 0.0)


async def test_too_many_connections_are_refused_before_the_first_byte():
    stage = Stage(per_user=1)
    first = await begun(follow(stage))
    with pytest.raises(LimitExceededError):
        follow(stage)
    await first.close()
    await (await begun(follow(stage))).close()
    await stage.connections.close_all(4000, "over", 0.0)


async def test_of_two_that_come_at_once_the_second_ends_with_a_reason():
    stage = Stage(per_user=1)
    first, second = follow(stage), follow(stage)
    await begun(first)
    assert b"limit connections_per_user is 1" in await second.rest()
    await first.close()
    await stage.connections.close_all(4000, "over", 0.0)


async def test_a_session_that_has_ended_gets_no_stream():
    stage = Stage()
    await stage.connections.close_session("s", 4501, "logged out")
    assert (await follow(stage).rest()).startswith(b": closed ")
    await stage.connections.close_all(4000, "over", 0.0)


async def test_a_log_that_fails_ends_the_stream():
    stage = Stage()
    reader = await begun(follow(stage))
    stage.log.fail(StorageError("the disk /dev/sda is full"))
    stage.announce("ann", 1)
    rest = await reader.rest()
    assert rest.startswith(b": closed ")
    assert b"/dev/sda" not in rest
    await stage.connections.close_all(4000, "over", 0.0)


async def test_a_log_that_was_trimmed_ends_the_stream_so_that_the_client_comes_again():
    stage = Stage()
    await stage.write("ann", 5)
    epoch = (await stage.log.state(context_of("ann"))).epoch
    reader = await begun(follow(stage, after=(epoch, 1)))
    stage.log.trim(context_of("ann"), keep=1)
    assert b": closed 4000" in await reader.rest()
    await stage.connections.close_all(4000, "over", 0.0)


async def test_the_stream_reads_as_its_own_user():
    stage = Stage()
    reader = await begun(follow(stage))
    await stage.write("ann", 1)
    with ambient_context(context_of("ann")):
        assert (await reader.event())[2]["offset"] == 1
    await reader.close()
    await stage.connections.close_all(4000, "over", 0.0)


class Answer:
    """What a server does with a response: takes its messages, and says when the client is gone."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.gone = asyncio.Event()

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.messages.append(message)

    def of(self, response: EventResponse) -> asyncio.Task[None]:
        return asyncio.create_task(response({"type": "http"}, self.receive, self.send))


async def test_an_answer_ends_with_the_last_piece_and_leaves_nothing_behind():
    stage = Stage()
    state = await stage.log.state(context_of("ann"))
    with ambient_context(context_of("ann")):
        accepted = await stage.scheduler.start(context_of("ann"), RunRequest(input="hello"))
    tasks = asyncio.all_tasks()
    answer = Answer()
    stream = EventStream(stage.services, identity_of("ann"), RunId(accepted.run_id), until_run_ends=True)
    await answer.of(EventResponse(stream, (state.epoch, 0)))
    assert [one.get("more_body") for one in answer.messages] == [None, True, False]
    assert b"agent_completed" in answer.messages[-1]["body"]
    assert stage.connections.statistics().connections == 0
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= tasks


async def test_a_client_that_goes_away_ends_a_stream_that_waits():
    stage = Stage()
    answer = Answer()
    task = answer.of(EventResponse(EventStream(stage.services, identity_of("ann")), None))
    while len(answer.messages) < 2:
        await asyncio.sleep(0)
    assert stage.connections.statistics().connections == 1
    answer.gone.set()
    await asyncio.wait_for(task, 10)
    assert stage.connections.statistics().connections == 0
