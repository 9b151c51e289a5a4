"""The server as a process: what only a real socket and a real signal show."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from carrel.errors import SettingsError
from carrel.server.app import create_app
from carrel.server.first_start import Started
from carrel.server.process import _config, _serve, bind, url_of
from carrel.server.settings import Settings
from tests.server.served import settings_for
from tests.server.serving import PASSWORD, Process, carrel, following, serving, wait_for_end

pytestmark = pytest.mark.timeout(90)

FIVE = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    directory = tmp_path_factory.mktemp("serving")
    for name in ("ann", "bob"):
        added = carrel("user", "add", name, "--data-dir", "data", directory=directory, input=f"{PASSWORD}\n")
        assert added.returncode == 0, added.stderr
    with serving(directory) as running:
        yield running


async def run_to_end(connection: ClientConnection, text: str, **more: Any) -> list[dict[str, Any]]:
    """Start a run and take its events, acknowledging the last."""
    frame = {"type": "start_run", "id": text, "input": text, "agent": "echo", **more}
    await connection.send(json.dumps(frame))
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] != "agent_completed":
        received = json.loads(await connection.recv())
        events += received.get("events", ())
    await connection.send(json.dumps({"type": "ack", "offset": events[-1]["offset"]}))
    return events


async def closed_with(connection: ClientConnection, events: list[dict[str, Any]] | None = None) -> int | None:
    """The code it is closed with; events that come before are added to `events`."""
    try:
        while True:
            received = json.loads(await connection.recv())
            if events is not None:
                events += received.get("events", ())
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def test_two_users_at_once_see_their_own_five_events_and_nothing_else(process: Process) -> None:
    async def visit(name: str) -> tuple[str, list[dict[str, Any]]]:
        tokens = await process.log_in(name)
        async with process.socket() as connection, process.http(tokens) as http:
            ready = await following(connection, tokens["access_token"])
            events = await run_to_end(connection, f"hello of {name}")
            run = (await http.get(f"/api/v1/runs/{events[0]['run_id']}")).json()
            assert (run["state"], run["output"]) == ("succeeded", f"HELLO OF {name.upper()}")
            while run["delivered"] < events[-1]["offset"]:
                run = (await http.get(f"/api/v1/runs/{events[0]['run_id']}")).json()
            return ready["user_id"], events

    (ann, of_ann), (bob, of_bob) = await asyncio.gather(visit("ann"), visit("bob"))
    assert ann != bob
    for user_id, events, name in ((ann, of_ann, "ann"), (bob, of_bob, "bob")):
        assert [event["type"] for event in events] == FIVE
        assert {event["user_id"] for event in events} == {user_id}
        assert events[0]["data"]["input"] == f"hello of {name}"
        assert events[-1]["data"]["output"] == f"HELLO OF {name.upper()}"


async def test_a_run_started_over_http_is_seen_on_the_socket(process: Process) -> None:
    tokens = await process.log_in("ann")
    async with process.socket() as connection, process.http(tokens) as http:
        await following(connection, tokens["access_token"])
        thread = (await http.post("/api/v1/threads")).json()["thread_id"]
        started = await http.post(f"/api/v1/threads/{thread}/runs", json={"input": "over http", "agent": "echo"})
        events: list[dict[str, Any]] = []
        while len(events) < 5:
            events += json.loads(await connection.recv()).get("events", ())
    assert [event["type"] for event in events] == FIVE
    assert {event["run_id"] for event in events} == {started.json()["run_id"]}


async def test_the_log_is_followed_as_a_stream(process: Process) -> None:
    tokens = await process.log_in("bob")
    async with process.http(tokens) as http:
        top = (await http.get("/api/v1/me/statistics")).json()["events"]
        after = f"{top['epoch']}:{top['top']}"
        thread = (await http.post("/api/v1/threads")).json()["thread_id"]
        await http.post(f"/api/v1/threads/{thread}/runs", json={"input": "streamed", "agent": "echo"})
        types = []
        async with http.stream("GET", "/api/v1/events", headers={"Last-Event-ID": after}) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    types.append(line.removeprefix("event: "))
                if types[-1:] == ["agent_completed"]:
                    break
    assert types == FIVE


@pytest.mark.parametrize("size", [64 * 1024 + 1, 100_000, 1_000_000, 8_000_000])
async def test_a_frame_that_is_too_long_closes_with_the_code_of_a_malformed_one(process: Process, size: int) -> None:
    tokens = await process.log_in("ann")
    async with process.socket() as connection:
        await following(connection, tokens["access_token"])
        await connection.send("x" * size)
        assert await closed_with(connection) == 4503
        assert connection.close_reason == "a frame has at most 65536 bytes; upload long input as a file"


@pytest.mark.parametrize("chunked", [False, True])
async def test_who_sends_far_too_much_gets_to_see_that_it_is(process: Process, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b"x" * 65_536

    tokens = await process.log_in("ann")
    async with process.http(tokens) as http:
        answer = await http.post("/api/v1/threads", content=pieces() if chunked else b"x" * 9_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_text_that_is_not_utf8_closes_with_the_same_code(process: Process) -> None:
    async with process.socket() as connection:
        await connection.send(b'{"type": "\xff"}', text=True)
        assert await closed_with(connection) == 4503
        assert connection.close_reason == "a text frame is not UTF-8; send JSON text"


async def test_a_bad_frame_costs_nobody_else_anything(process: Process) -> None:
    tokens = await process.log_in("ann")
    async with process.socket() as good, process.socket() as bad:
        await following(good, tokens["access_token"])
        await following(bad, tokens["access_token"])
        await bad.send("x" * 500_000)
        assert await closed_with(bad) == 4503
        assert [event["type"] for event in await run_to_end(good, "still here")] == FIVE


async def test_logging_out_closes_this_sessions_sockets_and_no_others(process: Process) -> None:
    one, other = await process.log_in("ann"), await process.log_in("ann")
    async with process.socket() as first, process.socket() as second, process.http(one) as http:
        await following(first, one["access_token"])
        await following(second, other["access_token"])
        assert (await http.post("/api/v1/auth/logout")).status_code == 204
        assert await closed_with(first) == 4501
        assert [event["type"] for event in await run_to_end(second, "I stay")] == FIVE
        async with process.socket() as again:
            await again.send(json.dumps({"type": "authenticate", "token": one["access_token"]}))
            assert await closed_with(again) == 4501


async def test_nothing_is_compressed_and_the_server_does_not_say_what_it_is(process: Process) -> None:
    async with httpx.AsyncClient(base_url=process.url) as http:
        answer = await http.get("/healthz")
        assert "server" not in answer.headers
        assert (await http.get("/healthz", headers={"Host": "evil.example"})).status_code == 421
    from websockets.asyncio.client import connect

    async with connect(process.url.replace("http", "ws") + "/ws") as connection:
        assert connection.response is not None
        assert "Sec-WebSocket-Extensions" not in connection.response.headers


async def test_the_query_of_a_socket_is_not_logged(process: Process) -> None:
    from websockets.asyncio.client import connect

    async with connect(process.url.replace("http", "ws") + "/ws?token=hunter2"):
        pass
    async with httpx.AsyncClient(base_url=process.url) as http:
        await http.get("/nothing?token=hunter2")
    # The line is written after the answer is sent.
    while "/nothing" not in process.log:
        await asyncio.sleep(0.01)
    assert "hunter2" not in process.log


async def test_a_port_in_use_is_said_in_one_line(process: Process, tmp_path: Path) -> None:
    port = process.url.rpartition(":")[2]
    second = await anyio.to_thread.run_sync(
        lambda: carrel("serve", "--port", port, "--data-dir", "other", directory=tmp_path)
    )
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == f"carrel: CARREL_PORT: {port} is in use on 127.0.0.1; choose another with --port\n"


async def test_the_first_start_shows_a_demo_login_once_and_logs_it_never(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        password = first.said[1].split()[-1]
        assert first.said[1].startswith("Log in as demo with the password ")
        tokens = await first.log_in("demo", password)
        assert tokens["token_type"] == "bearer"
        assert password not in first.log
        assert tokens["access_token"] not in first.log
    with serving(tmp_path) as second:
        assert not any("password" in line for line in second.said)
        assert await second.log_in("demo", password)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_sends_clients_away_and_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, shutdown_seconds="1") as process:
        tokens = await process.log_in("demo", process.said[1].split()[-1])
        async with process.socket() as connection, process.http(tokens) as http:
            await following(connection, tokens["access_token"])
            started = {"type": "start_run", "id": "1", "input": "wait", "agent": "stall"}
            await connection.send(json.dumps(started))
            events: list[dict[str, Any]] = []
            while len(events) < 2:
                events += json.loads(await connection.recv()).get("events", ())
            stream = http.stream("GET", "/api/v1/events")
            following_stream = await stream.__aenter__()
            process.popen.send_signal(number)
            assert await closed_with(connection, events) == 4000
            # The run was ended before its watchers were sent away.
            assert (events[-1]["type"], events[-1]["data"]["status"]) == ("agent_completed", "interrupted")
            assert "agent_completed" in (await following_stream.aread()).decode()
            await stream.__aexit__(None, None, None)
        assert await anyio.to_thread.run_sync(wait_for_end, process.popen) == 0
        assert "Traceback" not in process.log


async def test_the_heap_is_settled_while_it_serves_and_not_after(tmp_path: Path) -> None:
    before, frozen = gc.get_freeze_count(), list[int]()

    def stop(_: Started) -> None:
        frozen.append(gc.get_freeze_count())
        signal.raise_signal(signal.SIGTERM)

    settings = settings_for(tmp_path, port=0)
    app = await anyio.to_thread.run_sync(create_app, settings)
    await _serve(app, _config(settings, app), bind(settings), stop)
    assert frozen[0] > before + 10_000
    assert gc.get_freeze_count() == before


def test_an_address_that_is_not_ours_is_said() -> None:
    for host in ("203.0.113.7", "no such host"):
        with pytest.raises(SettingsError, match="CARREL_HOST.*is no address of this machine"):
            bind(Settings(host=host, port=0))


def test_urls_are_those_of_a_browser_on_this_machine() -> None:
    for host, url in (("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://localhost:"), ("::1", "http://[::1]:")):
        try:
            listener = bind(Settings(host=host, port=0))
        except SettingsError:
            assert host == "::1", "only IPv6 may be missing here"
            continue
        with listener:
            assert url_of(listener).startswith(url)
            assert isinstance(listener, socket.socket)
