"""The WebSocket of a real server, sent what nobody should send: it answers by the protocol and goes on."""

from __future__ import annotations

import itertools
import json
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from carrel.server.tokens import TokenSigner, hash_refresh_token
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from tests.fuzz.frames import BAD_FRAMES, FATAL_FRAMES, GOOD_FRAMES, BadFrame, bad_resumes
from tests.server.serving import Process, serving

SECRET = "0123456789abcdef0123456789abcdef"
CODES = {"malformed_frame", "unknown_type", "invalid_field", "not_authenticated", "bad_token", "invalid_ack"}
seeded = settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


async def make_tokens(directory: Path, count: int) -> list[str]:
    directory.mkdir()
    signer = TokenSigner(SecretStr(SECRET), seconds=3600)
    database = await Database.open(directory / "carrel.db")
    accounts = AccountStore(database)
    tokens = []
    for number in range(count):
        account = await accounts.create(f"user-{number}", "no password", frozenset())
        session = await accounts.open_session(
            account.user_id, hash_refresh_token(secrets.token_hex(32)), time.time() + 3600
        )
        tokens.append(signer.sign(account.user_id, session))
    await database.close()
    return tokens


@dataclass
class Target:
    """The server, and users of it who have nothing but what these tests make."""

    process: Process
    tokens: Sequence[str]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def open(self) -> Iterator[ClientConnection]:
        """A connection that has not authenticated."""
        address = self.process.url.replace("http", "ws") + "/ws"
        with connect(address, subprotocols=[Subprotocol("carrel.v1")], compression=None, close_timeout=2) as client:
            yield client

    @contextmanager
    def signed_in(self, user: int = 0) -> Iterator[ClientConnection]:
        with self.open() as client:
            send(client, type="authenticate", token=self.tokens[user])
            assert receive(client)["type"] == "ready"
            yield client

    def state(self, user: int = 0) -> dict[str, Any]:
        """What the user has."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"}
        answer = httpx.get(f"{self.process.url}/api/v1/me/statistics", headers=headers)
        return {name: answer.json()[name] for name in ("threads", "messages", "runs", "events")}

    def works(self, user: int = 1) -> None:
        """A good client gets what it asks for, whole and in order, and nothing has failed inside."""
        with self.signed_in(user) as client:
            number = f"good-{next(self.numbers)}"
            send(client, type="start_run", id=number, input=number, agent="echo")
            frames = list(until(client, lambda frame: ends(frame)))
        events = [event for frame in frames if frame["type"] == "events" for event in frame["events"]]
        assert [event["type"] for event in events] == [
            "agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"
        ]  # fmt: skip
        assert [event["offset"] - events[0]["offset"] for event in events] == list(range(5))
        assert self.process.popen.poll() is None
        assert "[error" not in self.process.log
        assert "Traceback" not in self.process.log


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp("fuzz")
    tokens = anyio.run(make_tokens, directory / "data", 3)
    with serving(directory, secret=SECRET, demo_user="false") as process:
        yield Target(process, tokens)


def send(client: ClientConnection, **frame: Any) -> None:
    client.send(json.dumps(frame))


def receive(client: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(client.recv(timeout=8))
    assert frame["type"] in ("ready", "events", "heartbeat", "accepted", "error", "pong"), frame
    return frame


def until(client: ClientConnection, last: Any) -> Iterator[dict[str, Any]]:
    while True:
        frame = receive(client)
        yield frame
        if last(frame):
            return


def ends(frame: dict[str, Any]) -> bool:
    return frame["type"] == "events" and any(
        event["type"] == "agent_completed" and event["parent_request_id"] is None for event in frame["events"]
    )


def answers(client: ClientConnection, payload: str) -> list[dict[str, Any]]:
    """What is said to a frame that is answered at once: all that comes before the next frame's answer."""
    client.send(payload)
    send(client, type="ping", id="the next")
    said = list(until(client, lambda frame: frame == {"type": "pong", "id": "the next"}))
    return [frame for frame in said[:-1] if frame["type"] not in ("heartbeat", "events")]


def check(said: list[dict[str, Any]], bad: BadFrame) -> None:
    assert [frame["type"] for frame in said] == ["error"], said
    error = said[0]
    assert error["code"] == bad.code, (error, bad)
    assert error["message"].startswith(bad.field), (error, bad)
    assert "accepted: " in error["message"], error


def closed(client: ClientConnection) -> list[dict[str, Any]]:
    """What comes before the server closes the connection."""
    said = []
    try:
        while True:
            said.append(receive(client))
    except ConnectionClosed:
        return said


@seeded
@given(frames=st.lists(BAD_FRAMES, min_size=1, max_size=12))
def test_bad_frames_are_answered_one_by_one_and_change_nothing(target: Target, frames: list[BadFrame]) -> None:
    before = target.state()
    with target.signed_in() as client:
        for bad in frames:
            assert isinstance(bad.payload, str)
            check(answers(client, bad.payload), bad)
    assert target.state() == before
    target.works()


@seeded
@given(frames=st.lists(BAD_FRAMES, max_size=4), resume=bad_resumes)
def test_before_authentication_nothing_is_done_and_a_bad_resume_is_named(
    target: Target, frames: list[BadFrame], resume: tuple[Any, str]
) -> None:
    value, named = resume
    before = target.state()
    with target.open() as client:
        for bad in frames:
            assert isinstance(bad.payload, str)
            client.send(bad.payload)
            check([receive(client)], bad)
        for kind in sorted(set(GOOD_FRAMES) - {"authenticate"}):
            send(client, type=kind, **GOOD_FRAMES[kind])
            assert receive(client)["code"] == "not_authenticated"
        send(client, type="authenticate", token=target.tokens[0], resume=value)
        check([receive(client)], BadFrame("", "invalid_field", named))
        send(client, type="authenticate", token=target.tokens[0])
        assert receive(client)["type"] == "ready"
    assert target.state() == before


@seeded
@given(bad=FATAL_FRAMES, authenticated=st.booleans())
def test_a_frame_that_is_none_closes_its_connection_and_no_other(
    target: Target, bad: BadFrame, authenticated: bool
) -> None:
    before = target.state()
    with target.signed_in() as other, target.open() as client:
        if authenticated:
            send(client, type="authenticate", token=target.tokens[0])
            receive(client)
        client.send(bad.payload)
        said = closed(client)
        assert client.close_code == 4503
        if bad.code:
            assert [frame.get("code") for frame in said] == [bad.code], said
        assert answers(other, json.dumps({"type": "ping", "id": "still"})) == [{"type": "pong", "id": "still"}]
    assert target.state() == before


@settings(parent=seeded, max_examples=15)
@given(data=st.binary(min_size=1, max_size=64), text=st.booleans())
def test_broken_framing_and_text_that_is_no_utf_8_cost_one_connection(target: Target, data: bytes, text: bool) -> None:
    with target.signed_in() as client:
        if text:
            client.send(data + b"\xff", text=True)
        else:
            # Whatever these bytes would be as frames; then no more.
            client.socket.sendall(data)
            client.socket.shutdown(socket.SHUT_WR)
        said = closed(client)
        assert all(frame["type"] in ("heartbeat", "error", "pong") for frame in said), said
        assert client.close_code in ((4503,) if text else (1000, 1005, 1006, 4503))
    target.works()


hostile = st.sampled_from(
    ["\0", "\ud800", "a\0b", "\u202e", "\n", " ", "../..", "%00", "'; DROP TABLE runs; --", "\U0001f4a9" * 32]
)


@seeded
@given(
    steps=st.lists(
        st.one_of(
            st.builds(lambda text: {"type": "start_run", "agent": "echo", "input": text}, hostile),
            st.builds(lambda text: {"type": "start_run", "agent": "echo", "input": "x", "thread_id": text}, hostile),
            st.builds(lambda text: {"type": "start_run", "agent": text, "input": "x"}, hostile),
            st.builds(lambda text: {"type": "cancel_run", "run_id": text}, hostile),
            st.builds(lambda text: {"type": "resolve_approval", "tool_call_id": text, "approved": True}, hostile),
            st.just({"type": "start_run", "agent": "echo", "input": "too long"}),
            st.just({"type": "start_run", "agent": "echo", "input": "x", "thread_id": "foreign"}),
            st.just({"type": "start_run", "agent": "nobody", "input": "x"}),
            st.just({"type": "cancel_run", "run_id": "foreign"}),
            st.builds(
                lambda offset: {"type": "ack", "offset": offset}, st.sampled_from([1, 7, 2**31, 2**63 - 1, 10**400])
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_commands_with_values_that_nobody_has_are_refused_by_name(target: Target, steps: list[dict[str, Any]]) -> None:
    with target.signed_in(2) as owner:
        send(owner, type="start_run", id=f"own-{next(target.numbers)}", input="mine", agent="echo")
        accepted = next(frame for frame in until(owner, lambda one: one["type"] == "accepted") if "run_id" in frame)
    foreign = {"thread_id": accepted["thread_id"], "run_id": accepted["run_id"]}
    before = target.state()
    harmless = False
    with target.signed_in() as client:
        for step in steps:
            number = str(next(target.numbers))
            frame = {name: foreign[name] if value == "foreign" else value for name, value in step.items()}
            if frame.get("input") == "too long":
                frame["input"] = "x" * 32_769
            if frame["type"] != "ack":
                frame["id"] = number
            client.send(json.dumps(frame))
            said = list(until(client, lambda one: one["type"] in ("error", "accepted")))[-1]
            if frame["type"] == "start_run" and frame["agent"] == "echo" and said["type"] == "accepted":
                # An unusual text is a text.
                assert frame["input"] == step["input"]
                assert frame.get("thread_id") is None
                harmless = True
                continue
            assert said["type"] == "error", (frame, said)
            assert said["code"] in CODES | {"not_found", "invalid_input", "agent_not_found"}, said
            if said["code"] not in ("malformed_frame", "invalid_ack"):
                assert said["id"] == number
            assert said["message"]
            assert not any(value in said["message"] for value in foreign.values())
    if not harmless:
        assert target.state() == before
    target.works()


@settings(parent=seeded, max_examples=12)
@given(
    resume=st.one_of(
        st.builds(lambda offset: {"epoch": "", "offset": offset}, st.integers(0, 2**63 - 1)),
        st.builds(
            lambda epoch: {"epoch": epoch, "offset": 0}, st.text(max_size=50).filter(lambda text: text < "\ud800")
        ),
        st.just({"epoch": "foreign", "offset": 0}),
        st.builds(
            lambda ahead: {"epoch": "own", "offset": ahead}, st.one_of(st.integers(10**6, 2**63 - 1), st.just(10**400))
        ),
    )
)
def test_a_position_in_the_future_or_in_another_log_is_a_gap_and_shows_nothing(
    target: Target, resume: dict[str, Any]
) -> None:
    epochs = {"own": target.state(0)["events"]["epoch"], "foreign": target.state(1)["events"]["epoch"]}
    with target.open() as client:
        value = {**resume, "epoch": epochs.get(resume["epoch"], resume["epoch"])}
        send(client, type="authenticate", token=target.tokens[0], resume=value)
        ready = receive(client)
        assert (ready["type"], ready["gap"], ready["epoch"]) == ("ready", True, epochs["own"])
        assert answers(client, json.dumps({"type": "ping"})) == [{"type": "pong", "id": None}]


def test_one_id_sent_many_times_over_two_connections_starts_one_run(target: Target) -> None:
    before = sum(target.state()["runs"].values())
    with target.signed_in() as first, target.signed_in() as second:
        for client in (first, second) * 5:
            send(client, type="start_run", id="the same", input="once", agent="echo")
        accepted: list[dict[str, Any]] = []
        for client in (first, second):
            for _ in range(5):
                accepted.extend(until(client, lambda one: one["type"] == "accepted"))
    runs = {frame["run_id"] for frame in accepted if frame["type"] == "accepted"}
    assert len(runs) == 1
    assert sum(target.state()["runs"].values()) == before + 1
