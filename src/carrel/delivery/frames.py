"""The frames of section 2 of the protocol: what clients send, checked, and what they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec

from carrel.delivery.log import LoggedEvent
from carrel.errors import InputError

__all__ = [
    "MAX_FRAME_BYTES",
    "AcceptedFrame",
    "AckFrame",
    "AuthenticateFrame",
    "CancelRunFrame",
    "ClientFrame",
    "ErrorFrame",
    "EventsFrame",
    "FrameError",
    "HeartbeatFrame",
    "PingFrame",
    "PongFrame",
    "ReadyFrame",
    "ResolveApprovalFrame",
    "Resume",
    "ServerFrame",
    "StartRunFrame",
    "encode_frame",
    "parse_frame",
]

MAX_FRAME_BYTES: Final = 64 * 1024
"""The largest frame that a client may send."""

FrameId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Offset = Annotated[int, msgspec.Meta(ge=0)]


class Resume(msgspec.Struct, frozen=True):
    """The last event that a client has handled."""

    epoch: str
    offset: Offset


class AuthenticateFrame(msgspec.Struct, frozen=True, tag="authenticate", tag_field="type"):
    """Who the client is, and where it left off."""

    token: str
    resume: Resume | None = None


class StartRunFrame(msgspec.Struct, frozen=True, tag="start_run", tag_field="type"):
    """Start a run; `id` makes sending it again harmless."""

    id: FrameId
    input: str
    thread_id: Name | None = None
    agent: Name = "supervisor"
    if_busy: Literal["reject", "enqueue", "interrupt", "rollback"] = "enqueue"


class CancelRunFrame(msgspec.Struct, frozen=True, tag="cancel_run", tag_field="type"):
    """Cancel a run."""

    id: FrameId
    run_id: Name


class ResolveApprovalFrame(msgspec.Struct, frozen=True, tag="resolve_approval", tag_field="type"):
    """Answer a tool call that waits for an approval."""

    id: FrameId
    tool_call_id: Name
    approved: bool
    reason: str | None = None


class AckFrame(msgspec.Struct, frozen=True, tag="ack", tag_field="type"):
    """Everything up to `offset` has been handled."""

    offset: Offset


class PingFrame(msgspec.Struct, frozen=True, tag="ping", tag_field="type"):
    """Is anybody there?"""

    id: FrameId | None = None


ClientFrame = AuthenticateFrame | StartRunFrame | CancelRunFrame | ResolveApprovalFrame | AckFrame | PingFrame


class ReadyFrame(msgspec.Struct, frozen=True, tag="ready", tag_field="type"):
    """The client is authenticated, and this is where its log stands."""

    user_id: str
    epoch: str
    top: int
    oldest: int
    gap: bool


class EventsFrame(msgspec.Struct, frozen=True, tag="events", tag_field="type"):
    """1 to 64 events in offset order; they are in their wire form already."""

    events: Sequence[LoggedEvent]


class HeartbeatFrame(msgspec.Struct, frozen=True, tag="heartbeat", tag_field="type"):
    """The connection lives, and the log reaches to `top`."""

    top: int


class AcceptedFrame(msgspec.Struct, frozen=True, tag="accepted", tag_field="type"):
    """A command was carried out."""

    id: str
    thread_id: str
    run_id: str


class ErrorFrame(msgspec.Struct, frozen=True, tag="error", tag_field="type", omit_defaults=True):
    """A frame was not accepted; the connection goes on unless it is closed as well."""

    code: str
    message: str
    id: str | None = None
    limit: str | None = None
    """Name of the limit that was crossed, when `code` is `limit_exceeded`."""
    retry_after: float | None = None
    """Seconds after which it may be accepted, when that is known."""


class PongFrame(msgspec.Struct, frozen=True, tag="pong", tag_field="type"):
    """The answer to a ping."""

    id: str | None


ServerFrame = ReadyFrame | EventsFrame | HeartbeatFrame | AcceptedFrame | ErrorFrame | PongFrame


class FrameError(InputError):
    """Raised when a frame is not accepted: `code` for the client, `frame_id` when it has one."""

    def __init__(self, code: str, field: str, problem: str, frame_id: str | None = None) -> None:
        self.code = code
        self.frame_id = frame_id
        super().__init__(field, problem)


WHOLE_NUMBER: Final = "a whole number, 0 or more"
SHORT_TEXT: Final = "a string of 1 to 128 characters"

ACCEPTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "type": "authenticate, start_run, cancel_run, resolve_approval, ack or ping",
        "token": "a string, the access token",
        "resume": "an object with epoch and offset, or left out",
        "resume.epoch": "a string, the epoch of the last event handled",
        "resume.offset": WHOLE_NUMBER,
        "id": SHORT_TEXT,
        "input": "a string",
        "thread_id": f"{SHORT_TEXT}, or left out for a new thread",
        "agent": SHORT_TEXT,
        "if_busy": "reject, enqueue, interrupt or rollback",
        "run_id": SHORT_TEXT,
        "tool_call_id": SHORT_TEXT,
        "approved": "true or false",
        "reason": "a string, or left out",
        "offset": WHOLE_NUMBER,
    }
)

_decoder: Final[msgspec.json.Decoder[ClientFrame]] = msgspec.json.Decoder(ClientFrame)


def parse_frame(text: str) -> ClientFrame:
    """The frame that a client sent; raises `FrameError` naming the field and what is accepted. Unknown fields pass."""
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise _explain(str(error), _id_of(text)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise FrameError("malformed_frame", "frame", "is not JSON; accepted: one JSON object per text frame") from None


def encode_frame(frame: ServerFrame) -> bytes:
    """One text frame, UTF-8. Bodies of events are joined as they are, neither decoded nor encoded again."""
    if type(frame) is EventsFrame:
        bodies = b",".join([event.body for event in frame.events])
        return b'{"type":"events","events":[' + bodies + b"]}"
    return msgspec.json.encode(frame)


def _explain(problem: str, frame_id: str | None) -> FrameError:
    what, _, path = problem.partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    if what.startswith("Object missing required field"):
        name = what.split("`")[1]
        field, problem = (f"{path}.{name}" if path else name), "is missing"
    else:
        field, problem = path, "is not accepted"
    if field not in ACCEPTED:
        return FrameError("malformed_frame", "frame", "is no JSON object with a `type`; accepted: one JSON object")
    code = "unknown_type" if field == "type" else "invalid_field"
    return FrameError(code, field, f"{problem}; accepted: {ACCEPTED[field]}", frame_id)


def _id_of(text: str) -> str | None:
    try:
        frame: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    value = frame.get("id") if isinstance(frame, dict) else None
    return value if isinstance(value, str) and 0 < len(value) <= 128 else None
