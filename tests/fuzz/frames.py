"""Frames that clients of the WebSocket send: good ones, and bad ones with what must be said about them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st

__all__ = ["BAD_FRAMES", "FATAL_FRAMES", "GOOD_FRAMES", "LONGEST", "BadFrame", "bad_resumes"]

LONGEST: Final = 64 * 1024

GOOD_FRAMES: Final[dict[str, dict[str, Any]]] = {
    "authenticate": {"token": "no token"},
    "start_run": {"id": "1", "input": "hello", "thread_id": "thread", "agent": "echo", "if_busy": "enqueue"},
    "cancel_run": {"id": "1", "run_id": "run"},
    "resolve_approval": {"id": "1", "tool_call_id": "call", "approved": True, "reason": "why"},
    "ack": {"offset": 0},
    "ping": {"id": "1"},
}
"""Every field that a frame can have, by type."""
OPTIONAL: Final = frozenset({"thread_id", "agent", "if_busy", "reason", "resume"})
NULLABLE: Final = frozenset({"thread_id", "reason", "resume"})
TEXTS: Final = frozenset({"id", "thread_id", "agent", "run_id", "tool_call_id"})


@dataclass(frozen=True, slots=True)
class BadFrame:
    """What is sent, and what the `error` must have."""

    payload: str | bytes = field(repr=False)
    code: str
    field: str = ""
    """Named first in the message."""
    seen: str = ""

    def __post_init__(self) -> None:
        # What a failing test shows: hypothesis refuses to print 64 KiB.
        object.__setattr__(self, "seen", repr(self.payload[:300]))


no_texts: st.SearchStrategy[Any] = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.just([]), st.just({"a": 1})
)
no_offsets = st.one_of(
    st.integers(max_value=-1),
    st.booleans(),
    st.sampled_from([0.5, -0.5, 1.5, "1", "", None, [1], {"offset": 1}, -(2**63), -(10**30)]),
)


def _wrong_value(name: str) -> st.SearchStrategy[Any]:
    if name == "offset":
        return no_offsets
    if name == "approved":
        return st.sampled_from([0, 1, "true", None, [], {}])
    if name == "if_busy":
        return st.one_of(
            no_texts, st.text().filter(lambda text: text not in ("reject", "enqueue", "interrupt")), st.none()
        ).filter(lambda value: value != "rollback")
    wrong: list[st.SearchStrategy[Any]] = [no_texts]
    if name in TEXTS:
        wrong.append(st.sampled_from(["", "x" * 129, "x" * 10_000]))
    if name not in NULLABLE:
        wrong.append(st.none())
    return st.one_of(wrong)


@st.composite
def wrong_fields(draw: st.DrawFn) -> BadFrame:
    """One field of a good frame is of another type, or out of its bounds."""
    kind = draw(st.sampled_from(sorted(GOOD_FRAMES)))
    name = draw(st.sampled_from(sorted(GOOD_FRAMES[kind])))
    value = draw(_wrong_value(name).filter(lambda value: not (kind == "ping" and value is None)))
    frame = {"type": kind, **GOOD_FRAMES[kind], name: value}
    return BadFrame(json.dumps(frame), "invalid_field", name)


@st.composite
def missing_fields(draw: st.DrawFn) -> BadFrame:
    """One field of a good frame is missing."""
    kind = draw(st.sampled_from(sorted(set(GOOD_FRAMES) - {"ping"})))
    name = draw(st.sampled_from(sorted(set(GOOD_FRAMES[kind]) - OPTIONAL)))
    frame = {"type": kind, **GOOD_FRAMES[kind]}
    del frame[name]
    return BadFrame(json.dumps(frame), "invalid_field", name)


unknown_types = (
    st.one_of(st.text(max_size=200), no_texts, st.none())
    .filter(lambda kind: str(kind) not in GOOD_FRAMES)
    .map(lambda kind: BadFrame(json.dumps({"type": kind, "id": "1", "offset": 1}), "unknown_type", "type"))
)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


no_json = st.one_of(
    st.text(max_size=300).filter(lambda text: not _is_json(text)),
    st.sampled_from(
        [
            "", " ", "{", "}", "[", "\0", '{"type"', '{"type":"ping"', '{"type":"ping"}}', "{'type':'ping'}", "NaN",
            '{"type":"ack","offset":NaN}', '{"type":"ack","offset":01}', '{"type":"ack","offset":+1}', "\ufeff{}",
            '{"type":"ping","id":"\\ud800"}', '{"type":"ping","id":"\0"}', '{"type":"ping",}', "[" * 60_000,
            '{"a":' * 10_000, "nul", "\u2028", "-", '"',
        ]
    ),
).map(lambda text: BadFrame(text, "malformed_frame", "frame"))  # fmt: skip
no_objects = st.sampled_from(["[]", "null", "1", '"ping"', "true", "[{}]", "1e999", "9" * 50_000, "-0.0"]).map(
    lambda text: BadFrame(text, "malformed_frame", "frame")
)

BAD_FRAMES: Final = st.one_of(wrong_fields(), missing_fields(), unknown_types, no_json, no_objects)
"""Text frames that are answered by one `error`, after which the connection goes on."""

FATAL_FRAMES: Final = st.one_of(
    st.binary(max_size=200).map(lambda data: BadFrame(data, "malformed_frame")),
    st.sampled_from(
        [
            BadFrame(b'{"type":"ping"}', "malformed_frame"),
            BadFrame(json.dumps({"type": "ping", "id": "x" * LONGEST}), "malformed_frame"),
            BadFrame("\u00e9" * (LONGEST // 2 + 1), "malformed_frame"),
            BadFrame("[" * 100_000, "malformed_frame"),
            BadFrame(json.dumps({"type": "start_run", "id": "1", "input": "x" * 1_000_000}), "", ""),
        ]
    ),
)
"""Frames after which the connection is closed with 4503; most are answered before."""

bad_resumes: Final = st.one_of(
    st.builds(lambda offset: ({"epoch": "e", "offset": offset}, "resume.offset"), no_offsets),
    st.builds(lambda epoch: ({"epoch": epoch, "offset": 0}, "resume.epoch"), st.one_of(no_texts, st.none())),
    st.sampled_from([({"offset": 0}, "resume.epoch"), ({"epoch": "e"}, "resume.offset"), ({}, "resume.epoch")]),
    st.sampled_from([(1, "resume"), ("e:1", "resume"), ([], "resume"), (True, "resume")]),
)
"""Values of `resume` that are refused, and the field that is named."""
