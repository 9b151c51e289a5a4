"""Tests of carrel.server.websocket: a real server on this machine and real clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog

from carrel.context import UserContext
from carrel.delivery import manager as manager_module
from carrel.delivery import session as session_module
from carrel.errors import StorageError
from carrel.server import websocket as websocket_module
from carrel.server.websocket import SUBPROTOCOL
from carrel.testing.event_log import MemoryEventLog
from tests.server.live import LiveSettings, Stage, authenticate, close_code, context_of, live, offsets, receive, send


@pytest.fixture
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_module, "TICK_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def captured_logs() -> Iterator[list[MutableMapping[str, Any]]]:
    # Drawing a traceback for people reads the source files, which would block the loop.
    with structlog.testing.capture_logs() as entries:
        yield entries


async def test_a_client_gets_its_users_events_and_nobody_elses():
    async with live() as stage:
        await stage.write("ann", 2)
        async with stage.signed_in("bob") as bob, stage.client() as ann:
            ready = await authenticate(ann, "ann")
            epoch = (await stage.log.state(context_of("ann"))).epoch
            assert ready == {
                "type": "ready",
                "user_id": "ann",
                "epoch": epoch,
                "top": 2,
                "oldest": 1,
                "gap": False,
            }
            await stage.write("ann", 3)
            await stage.write("bob", 1)
            assert await offsets(ann, 5) == [3, 4, 5]
            frame = await receive(bob)
            assert [event["user_id"] for event in frame["events"]] == ["bob"]
            await send(bob, type="ping", id="p")
            assert await receive(bob) == {"type": "pong", "id": "p"}
        await stage.gone()


async def test_every_connection_of_a_user_gets_every_event():
    async with live() as stage, stage.signed_in("ann") as first, stage.signed_in("ann") as second:
        await stage.write("ann", 100)
        assert await offsets(first, 100) == await offsets(second, 100) == list(range(1, 101))


async def test_a_client_that_comes_back_resumes_where_it_left():
    async with live() as stage:
        async with stage.client() as client:
            epoch = (await authenticate(client, "ann"))["epoch"]
            await stage.write("ann", 5)
            await offsets(client, 5)
        await stage.write("ann", 5)
        async with stage.client() as client:
            ready = await authenticate(client, "ann", epoch=epoch, offset=3)
            assert (ready["gap"], ready["top"]) == (False, 10)
            assert await offsets(client, 10) == list(range(4, 11))


async def test_a_client_that_cannot_resume_is_told_and_follows_from_the_top():
    async with live() as stage:
        await stage.write("ann", 5)
        async with stage.client() as client:
            assert (await authenticate(client, "ann", epoch="other", offset=3))["gap"] is True
            await stage.write("ann", 1)
            assert await offsets(client, 6) == [6]


async def test_acks_move_the_watermark_and_wrong_ones_are_answered():
    async with live() as stage, stage.signed_in("ann") as client:
        await stage.write("ann", 10)
        await offsets(client, 10)
        await send(client, type="ack", offset=8)
        await send(client, type="ack", offset=99)
        error = await receive(client)
        assert (error["type"], error["code"]) == ("error", "invalid_ack")
        assert (await stage.log.state(context_of("ann"))).delivered == 8


async def test_sending_pauses_until_the_client_acknowledges():
    async with live() as stage, stage.signed_in("ann") as client:
        await send(client, type="ack", offset=0)
        await send(client, type="ping")
        await receive(client)
        await stage.write("ann", 400)
        first = await offsets(client, 257)
        await send(client, type="ping", id="still here")
        assert (await receive(client))["type"] == "pong"
        await send(client, type="ack", offset=first[-1])
        assert await offsets(client, 400) == list(range(first[-1] + 1, 401))


# Commands


async def test_a_run_is_started_once_for_one_id():
    async with live() as stage, stage.signed_in("ann") as client:
        for _ in range(2):
            await send(client, type="start_run", id="my-1", input="hello", agent="data", if_busy="reject")
        accepted: list[dict[str, Any]] = []
        types: list[str] = []
        while len(accepted) < 2 or len(types) < 2:
            frame = await receive(client)
            if frame["type"] == "accepted":
                accepted.append(frame)
            else:
                types.extend(event["type"] for event in frame["events"])
        assert accepted[0] == accepted[1]
        assert accepted[0]["id"] == "my-1"
        assert types == ["agent_started", "agent_completed"]
        user, request = stage.scheduler.requests[0]
        assert (user.user_id, request.idempotency_key, request.if_busy) == ("ann", "my-1", "reject")
        assert user.request_id != stage.scheduler.requests[1][0].request_id
        await send(client, type="cancel_run", id="c", run_id=accepted[0]["run_id"])
        assert await receive(client) == {**accepted[0], "id": "c"}


async def test_a_command_does_not_keep_the_reader_from_reading():
    async with live() as stage, stage.signed_in("ann") as client:
        stage.scheduler.gate.clear()
        await send(client, type="start_run", id="1", input="hello")
        await send(client, type="ping", id="p")
        assert (await receive(client))["type"] == "pong"
        stage.scheduler.gate.set()
        assert (await receive(client))["type"] in ("events", "accepted")


async def test_a_command_is_carried_out_though_its_client_has_left():
    async with live() as stage:
        async with stage.signed_in("ann") as client:
            stage.scheduler.gate.clear()
            await send(client, type="start_run", id="1", input="hello")
            while not stage.scheduler.requests:
                await asyncio.sleep(0.001)
        stage.scheduler.gate.set()
        await stage.gone()
        while not stage.scheduler.accepted:
            await asyncio.sleep(0.001)


# Authentication


async def test_who_does_not_authenticate_in_time_is_closed(fast_clock: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session_module, "AUTHENTICATE_SECONDS", 0.05)
    async with live() as stage, stage.client() as client:
        assert await close_code(client) == 4500


async def test_a_bad_token_is_closed():
    async with live() as stage, stage.client() as client:
        await send(client, type="authenticate", token="nonsense")
        assert await close_code(client) == 4501


async def test_frames_before_authenticate_are_refused_and_the_connection_goes_on():
    async with live() as stage, stage.client() as client:
        await send(client, type="start_run", id="1", input="hello")
        assert (await receive(client))["code"] == "not_authenticated"
        assert (await authenticate(client, "ann"))["type"] == "ready"
        assert stage.scheduler.requests == []


async def test_a_token_is_renewed_on_the_open_connection():
    async with live() as stage, stage.signed_in("ann") as client:
        await stage.write("ann", 2)
        await offsets(client, 2)
        assert (await authenticate(client, "ann", session="s-2"))["type"] == "ready"
        await stage.write("ann", 1)
        assert await offsets(client, 3) == [3]
        await send(client, type="authenticate", token="nonsense")
        assert (await receive(client))["code"] == "bad_token"
        await stage.connections.close_session("s", 4501, "the old one")
        await send(client, type="ping", id="p")
        assert (await receive(client))["type"] == "pong"
        await stage.connections.close_session("s-2", 4501, "logged out")
        assert await close_code(client) == 4501


async def test_another_users_token_closes_the_connection():
    async with live() as stage, stage.signed_in("ann") as client:
        await send(client, type="authenticate", token="bob/s/600")
        assert await close_code(client) == 4501
        await stage.gone()  # also from where it is known whose it was


async def test_a_refused_renewal_leaves_the_connection_to_the_session_that_it_had():
    async with live() as stage, stage.signed_in("ann") as client:
        await stage.connections.close_session("s-2", 4501, "logged out")
        assert (await authenticate(client, "ann", session="s-2"))["code"] == "bad_token"
        await stage.connections.close_session("s", 4501, "logged out")
        assert await close_code(client) == 4501


async def test_an_expired_token_closes_the_connection(fast_clock: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session_module, "EXPIRY_SECONDS", 0.05)
    async with live() as stage, stage.client() as client:
        await authenticate(client, "ann", seconds=0.01)
        assert await close_code(client) == 4502


async def test_logging_out_closes_every_connection_of_the_session_and_no_other():
    async with live() as stage, stage.client() as mine, stage.client() as too, stage.client() as other:
        await authenticate(mine, "ann", "s-1")
        await authenticate(too, "ann", "s-1")
        await authenticate(other, "ann", "s-2")
        await stage.connections.close_session("s-1", 4501, "logged out")
        assert await close_code(mine) == await close_code(too) == 4501
        await send(other, type="ping", id="p")
        assert (await receive(other))["type"] == "pong"


async def test_too_many_connections_of_a_user_are_refused():
    stage = Stage(per_user=1)
    async with live(stage), stage.signed_in("ann"), stage.signed_in("bob"), stage.client() as client:
        await send(client, type="authenticate", token="ann/s/600")
        assert await close_code(client) == 4505
        assert client.close_reason == "limit connections_per_user is 1; close another connection"


# Frames


async def test_a_bad_frame_is_answered_and_the_connection_goes_on():
    async with live() as stage, stage.signed_in("ann") as client:
        await client.send("nonsense")
        assert (await receive(client))["code"] == "malformed_frame"
        await send(client, type="start_run", id="7", input=5)
        error = await receive(client)
        assert (error["id"], error["code"]) == ("7", "invalid_field")
        assert error["message"].startswith("input ")
        await stage.write("ann", 1)
        assert await offsets(client, 1) == [1]


async def test_a_binary_frame_is_answered_and_closes():
    async with live() as stage, stage.signed_in("ann") as client:
        await client.send(b'{"type":"ping"}')
        assert (await receive(client))["code"] == "malformed_frame"
        assert await close_code(client) == 4503


@pytest.mark.parametrize("size", [65 * 1024, 200 * 1024])
async def test_an_oversize_frame_closes(size: int):
    async with live() as stage, stage.signed_in("ann") as client:
        await send(client, type="start_run", id="1", input="x" * size)
        assert await close_code(client) == 4503
        assert stage.scheduler.requests == []


# Where from


async def test_the_subprotocol_is_negotiated():
    async with live() as stage:
        async with stage.client(subprotocols=["other", SUBPROTOCOL]) as client:
            assert client.subprotocol == SUBPROTOCOL
        async with stage.client(subprotocols=None) as client:
            assert (await authenticate(client, "ann"))["type"] == "ready"
        async with stage.client(subprotocols=["carrel.v2"]) as client:
            assert await close_code(client) == 4503


async def test_a_foreign_page_is_refused_so_that_it_can_see_why():
    async with live(Stage(settings=LiveSettings(("https://chat.example.org",)))) as stage:
        for origin in ("https://evil.example.org", "null"):
            async with stage.client(origin=origin) as client:
                assert await close_code(client) == 4504
        own = stage.url.replace("ws://", "http://").removesuffix("/ws")
        for origin in (own, "https://chat.example.org"):
            async with stage.client(origin=origin) as client:
                assert (await authenticate(client, "ann"))["type"] == "ready"


# Slow, stalled and broken


async def test_a_client_that_does_not_read_is_closed_and_delays_nobody(monkeypatch: pytest.MonkeyPatch):
    async with live() as stage, stage.client(max_queue=1) as stalled, stage.signed_in("ann") as other:
        await authenticate(stalled, "ann")
        for _ in range(12):
            await stage.write("ann", 10, size=100_000)
        assert await offsets(other, 120) == list(range(1, 121))
        while stage.connections.statistics().connections == 2:
            # Its queue: what comes while nothing can be written to it.
            await stage.write("ann", 600)
            await send(other, type="ping")
            while (await receive(other))["type"] != "pong":
                pass
            if any(one._session.closed for one in stage.connections.connections_of("ann")):  # type: ignore[arg-type,attr-defined]
                break
        assert await close_code(stalled) == 4001
        await send(other, type="ping", id="p")
        while (await receive(other)).get("id") != "p":
            pass


async def test_a_stalled_client_is_let_go_when_it_never_reads_again(monkeypatch: pytest.MonkeyPatch, fast_clock: None):
    monkeypatch.setattr(session_module, "SEND_SECONDS", 0.1)
    monkeypatch.setattr(websocket_module, "GOODBYE_SECONDS", 0.1)
    async with live() as stage, stage.client(max_queue=1, close_timeout=0.1) as stalled:
        await authenticate(stalled, "ann")
        await stage.write("ann", 120, size=100_000)
        await stage.gone()
        stalled.transport.abort()


async def test_a_client_that_vanishes_while_it_is_written_to_is_let_go():
    async with live() as stage, stage.client(max_queue=1) as stalled:
        await authenticate(stalled, "ann")
        await stage.write("ann", 120, size=100_000)
        await asyncio.sleep(0.05)
        stalled.transport.abort()
        await stage.gone()


async def test_a_heartbeat_tells_the_top_and_makes_up_for_a_lost_call(
    fast_clock: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session_module, "HEARTBEAT_SECONDS", 0.05)
    async with live() as stage, stage.signed_in("ann") as client:
        assert await receive(client) == {"type": "heartbeat", "top": 0}
        stage.bridge.subscribe(lambda user, top: None)
        stage.connections._unsubscribe()
        await stage.write("ann", 2)
        assert await offsets(client, 2) == [1, 2]


async def test_a_server_that_goes_away_says_so():
    async with live() as stage, stage.signed_in("ann") as client, stage.client() as arriving:
        closing = asyncio.create_task(stage.connections.close_all(4000, "going away", 5.0))
        assert await close_code(client) == await close_code(arriving) == 4000
        await closing
        async with stage.client() as late:
            assert await close_code(late) == 4000


async def test_a_log_that_was_trimmed_makes_the_client_come_again():
    async with live() as stage, stage.signed_in("ann") as client:
        context = context_of("ann")
        await stage.write("ann", 0 + 1)
        await offsets(client, 1)
        stage.connections._unsubscribe()
        await stage.write("ann", 5)
        stage.log.trim(context, keep=1)
        for connection in stage.connections.connections_of(context.user_id):
            connection.news(6)
        assert await close_code(client) == 4000


@pytest.mark.parametrize("error", [StorageError("the disk is full"), RuntimeError("a mistake")])
async def test_a_log_that_fails_closes_with_come_again(error: Exception):
    async with live() as stage:
        async with stage.signed_in("ann") as client:
            stage.log.fail(error)
            for connection in stage.connections.connections_of(context_of("ann").user_id):
                connection.news(1)
            assert await close_code(client) == 4000
        async with stage.client() as client:
            stage.authenticator.errors.append(error)
            await send(client, type="authenticate", token="ann/s/600")
            assert await close_code(client) == 4000
        await stage.gone()


async def test_a_log_that_fails_at_an_ack_or_a_heartbeat_closes_with_come_again(
    fast_clock: None, monkeypatch: pytest.MonkeyPatch
):
    async with live() as stage:
        async with stage.signed_in("ann") as client:
            await stage.write("ann", 1)
            await offsets(client, 1)
            stage.log.fail(StorageError("the disk is full"))
            await send(client, type="ack", offset=1)
            assert await close_code(client) == 4000
        monkeypatch.setattr(session_module, "HEARTBEAT_SECONDS", 0.05)
        async with stage.signed_in("ann") as client:
            stage.log.fail(StorageError("the disk is full"))
            assert await close_code(client) == 4000


async def test_a_session_that_ends_while_its_token_is_verified_opens_nothing():
    async with live() as stage, stage.client() as client:
        await stage.connections.close_session("s", 4501, "logged out")
        await send(client, type="authenticate", token="ann/s/600")
        assert await close_code(client) == 4501


async def test_no_token_is_taken_from_the_url():
    async with live() as stage:
        stage.url += "?token=ann/s/600&access_token=ann/s/600"
        async with stage.client() as client:
            await send(client, type="ping", id="p")
            assert (await receive(client))["code"] == "not_authenticated"


async def test_a_client_that_leaves_leaves_nothing_behind():
    async with live() as stage:
        for _ in range(5):
            async with stage.signed_in("ann"), stage.client():
                pass
        await stage.gone()
        seen = stage.connections.statistics()
        assert (seen.connections, seen.users, seen.arriving) == (0, 0, 0)


# At once, and what takes time


class UnheldLog(MemoryEventLog):
    """Everything has to be read."""

    def held(self, context: UserContext, after: int, limit: int) -> None:
        return None


async def test_events_that_are_not_held_are_read():
    async with live(Stage(log=UnheldLog())) as stage, stage.signed_in("ann") as client:
        for top in (1, 2, 103):
            await stage.write("ann", top - (await stage.log.state(context_of("ann"))).top)
            assert (await offsets(client, top))[-1] == top


async def test_an_event_is_written_before_whoever_announced_it_goes_on():
    async with live() as stage, stage.signed_in("ann") as client:
        context = context_of("ann")
        await stage.write("ann", 1)
        (connection,) = stage.connections.connections_of(context.user_id)
        assert connection._session.statistics().sent == 1  # type: ignore[attr-defined]
        assert await offsets(client, 1) == [1]


async def test_a_server_with_another_protocol_delivers_all_the_same():
    async with live(protocol="websockets-sansio") as stage, stage.signed_in("ann") as client:
        await stage.write("ann", 3)
        assert await offsets(client, 3) == [1, 2, 3]
        await send(client, type="ack", offset=3)
        await send(client, type="ping", id="p")
        assert (await receive(client))["type"] == "pong"
        assert (await stage.log.state(context_of("ann"))).delivered == 3


async def test_a_frame_waits_its_turn_behind_a_token_that_is_being_verified():
    async with live() as stage, stage.client() as client:
        stage.authenticator.gate.clear()
        await send(client, type="authenticate", token="ann/s/600")
        await asyncio.sleep(0.05)
        await send(client, type="ping", id="p")
        await asyncio.sleep(0.05)
        stage.authenticator.gate.set()
        assert [(await receive(client))["type"] for _ in range(2)] == ["ready", "pong"]
