"""Tests of carrel.delivery.frames."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.delivery.frames import (
    AcceptedFrame,
    AckFrame,
    AuthenticateFrame,
    CancelRunFrame,
    ClientFrame,
    ErrorFrame,
    EventsFrame,
    FrameError,
    HeartbeatFrame,
    PingFrame,
    PongFrame,
    ReadyFrame,
    ResolveApprovalFrame,
    Resume,
    ServerFrame,
    StartRunFrame,
    encode_frame,
    parse_frame,
)
from carrel.delivery.log import LoggedEvent

START = {"type": "start_run", "id": "1", "input": "hello"}
AUTHENTICATE = {"type": "authenticate", "token": "t"}


@pytest.mark.parametrize(
    ("sent", "frame"),
    [
        (AUTHENTICATE, AuthenticateFrame("t")),
        ({**AUTHENTICATE, "resume": None}, AuthenticateFrame("t")),
        ({**AUTHENTICATE, "resume": {"epoch": "e", "offset": 0}}, AuthenticateFrame("t", Resume("e", 0))),
        (START, StartRunFrame("1", "hello", None, "supervisor", "enqueue")),
        (
            {**START, "thread_id": "t", "agent": "data", "if_busy": "reject"},
            StartRunFrame("1", "hello", "t", "data", "reject"),
        ),
        ({"type": "cancel_run", "id": "1", "run_id": "r"}, CancelRunFrame("1", "r")),
        (
            {"type": "resolve_approval", "id": "1", "tool_call_id": "c", "approved": False, "reason": "no"},
            ResolveApprovalFrame("1", "c", False, "no"),
        ),
        ({"type": "ack", "offset": 7}, AckFrame(7)),
        ({"type": "ping"}, PingFrame()),
        ({"type": "ping", "id": "p", "added_in_a_later_version": [1]}, PingFrame("p")),
    ],
)
def test_a_frame_is_what_was_sent(sent: dict[str, Any], frame: ClientFrame):
    assert parse_frame(json.dumps(sent)) == frame


RESUME = {"type": "authenticate", "token": "t", "id": "x"}


@pytest.mark.parametrize(
    ("sent", "code", "field", "accepted"),
    [
        ({**RESUME, "resume": {"epoch": "e", "offset": -1}}, "invalid_field", "resume.offset", "a whole number, 0 or"),
        ({**RESUME, "resume": {"epoch": "e", "offset": True}}, "invalid_field", "resume.offset", "a whole number"),
        ({**RESUME, "resume": {"epoch": "e", "offset": 1.0}}, "invalid_field", "resume.offset", "a whole number"),
        ({**RESUME, "resume": {"epoch": "e", "offset": "1"}}, "invalid_field", "resume.offset", "a whole number"),
        ({**RESUME, "resume": {"epoch": "e", "offset": None}}, "invalid_field", "resume.offset", "a whole number"),
        ({**RESUME, "resume": {"epoch": "e"}}, "invalid_field", "resume.offset", "a whole number"),
        ({**RESUME, "resume": {"offset": 1}}, "invalid_field", "resume.epoch", "a string"),
        ({**RESUME, "resume": [1]}, "invalid_field", "resume", "an object with epoch and offset"),
        ({"type": "authenticate"}, "invalid_field", "token", "a string"),
        ({**START, "id": 7}, "invalid_field", "id", "a string of 1 to 128"),
        ({**START, "id": "x" * 129}, "invalid_field", "id", "a string of 1 to 128"),
        ({**START, "if_busy": "wait"}, "invalid_field", "if_busy", "reject, enqueue, interrupt or rollback"),
        ({**START, "thread_id": ""}, "invalid_field", "thread_id", "a string of 1 to 128"),
        ({**START, "agent": None}, "invalid_field", "agent", "a string"),
        ({"type": "start_run", "id": "1"}, "invalid_field", "input", "a string"),
        ({"type": "cancel_run", "id": "1"}, "invalid_field", "run_id", "a string"),
        ({"type": "ack", "offset": -1}, "invalid_field", "offset", "a whole number"),
        ({"type": "resolve_approval", "id": "1", "tool_call_id": "c", "approved": 1}, "invalid_field", "approved", "t"),
        ({"type": "events"}, "unknown_type", "type", "authenticate, start_run"),
        ({"type": 1}, "unknown_type", "type", "authenticate, start_run"),
        ({}, "unknown_type", "type", "authenticate, start_run"),
        ([], "malformed_frame", "frame", "one JSON object"),
        ("x", "malformed_frame", "frame", "one JSON object"),
    ],
)
def test_a_wrong_frame_is_refused_naming_the_field_and_what_is_accepted(
    sent: object, code: str, field: str, accepted: str
):
    with pytest.raises(FrameError) as caught:
        parse_frame(json.dumps(sent))
    assert (caught.value.code, caught.value.field) == (code, field)
    assert f"accepted: {accepted}" in caught.value.problem


@pytest.mark.parametrize("text", ["", "{", "nonsense", '{"type":"ping"} x', "NaN", '{"type":"ping","id":"\\ud800"}'])
def test_what_is_no_json_is_refused(text: str):
    with pytest.raises(FrameError) as caught:
        parse_frame(text)
    assert caught.value.code == "malformed_frame"


def test_nesting_without_end_is_refused():
    with pytest.raises(FrameError):
        parse_frame('{"type":"ping","x":' + "[" * 20_000 + "]" * 20_000 + "}")


def test_a_refused_frame_keeps_its_id_for_the_answer():
    with pytest.raises(FrameError) as caught:
        parse_frame('{"type":"start_run","id":"7","input":1}')
    assert caught.value.frame_id == "7"
    with pytest.raises(FrameError) as caught:
        parse_frame('{"type":"start_run","id":7,"input":1}')
    assert caught.value.frame_id is None
    with pytest.raises(FrameError) as caught:
        parse_frame('{"type":"nonsense","id":"7","x":' + "[" * 900 + "]" * 900 + "}")
    assert caught.value.code == "unknown_type"


@given(st.text())
def test_any_text_is_a_frame_or_refused(text: str):
    with contextlib.suppress(FrameError):
        parse_frame(text)


@pytest.mark.parametrize(
    ("frame", "written"),
    [
        (
            ReadyFrame("u", "e", 5, 1, False),
            {"type": "ready", "user_id": "u", "epoch": "e", "top": 5, "oldest": 1, "gap": False},
        ),
        (HeartbeatFrame(5), {"type": "heartbeat", "top": 5}),
        (AcceptedFrame("1", "t", "r"), {"type": "accepted", "id": "1", "thread_id": "t", "run_id": "r"}),
        (ErrorFrame("c", "m"), {"type": "error", "code": "c", "message": "m"}),
        (ErrorFrame("c", "m", "1"), {"type": "error", "code": "c", "message": "m", "id": "1"}),
        (PongFrame("p"), {"type": "pong", "id": "p"}),
        (PongFrame(None), {"type": "pong", "id": None}),
    ],
)
def test_a_server_frame_is_one_json_object(frame: ServerFrame, written: dict[str, Any]):
    assert json.loads(encode_frame(frame)) == written


def test_events_are_joined_as_they_are():
    bodies = (b'{"offset": 1,  "text":"\xc3\xa9"}', b'{"offset":2}')
    frame = EventsFrame([LoggedEvent(1, "r", False, bodies[0]), LoggedEvent(2, "r", True, bodies[1])])
    assert encode_frame(frame) == b'{"type":"events","events":[' + b",".join(bodies) + b"]}"
    assert msgspec.json.decode(encode_frame(frame))["events"][0]["text"] == "é"
