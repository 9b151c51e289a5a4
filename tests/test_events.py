"""Tests of carrel.events."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId
from carrel.errors import GrammarError
from carrel.events import (
    EVENT_TYPES,
    LIFECYCLE_TYPES,
    EventDraft,
    EventType,
    RunGrammar,
    decode_event,
    draft_event,
    encode_event,
    encoded_epoch,
    encoded_type,
    timestamp,
)


def context(request: str = "root", parent: str | None = None, run: str = "r") -> UserExecutionContext:
    return UserExecutionContext(
        user_id=UserId("u"),
        thread_id=ThreadId("t"),
        run_id=RunId(run),
        request_id=RequestId(request),
        parent_request_id=RequestId(parent) if parent is not None else None,
    )


def draft(kind: EventType, request: str = "root", parent: str | None = None, call: str | None = None) -> EventDraft:
    return draft_event(context(request, parent), kind, "a", {} if call is None else {"tool_call_id": call, "tool": "t"})


def grammar(*drafts: EventDraft) -> RunGrammar:
    made = RunGrammar()
    for one in drafts:
        made.accept(one)
    return made


def started(*requests: tuple[str, str | None]) -> RunGrammar:
    return grammar(*(draft("agent_started", request, parent) for request, parent in requests))


def test_the_lifecycle_is_five_of_the_types():
    assert len(LIFECYCLE_TYPES) == 5
    assert set(LIFECYCLE_TYPES) < set(EVENT_TYPES)


def test_a_timestamp_is_rfc_3339_with_microseconds():
    assert timestamp(0) == "1970-01-01T00:00:00.000000Z"
    assert timestamp(1_763_000_000.25) == "2025-11-13T02:13:20.250000Z"


def test_an_event_has_the_fields_of_the_protocol_in_its_wire_form():
    one = draft_event(context("q", "p"), "agent_thinking", "triage", {"text": "é"})
    body = encode_event(one, offset=7, epoch="e1", created_at=timestamp(0))
    assert msgspec.json.decode(body) == {
        "type": "agent_thinking",
        "event_id": one.event_id,
        "offset": 7,
        "epoch": "e1",
        "user_id": "u",
        "thread_id": "t",
        "run_id": "r",
        "request_id": "q",
        "parent_request_id": "p",
        "agent": "triage",
        "created_at": "1970-01-01T00:00:00.000000Z",
        "data": {"text": "é"},
    }
    assert decode_event(body).data == {"text": "é"}


def test_what_is_no_event_is_not_decoded():
    with pytest.raises(msgspec.ValidationError):
        decode_event(b'{"type":"nonsense"}')


def test_data_that_json_cannot_carry_is_not_encoded():
    with pytest.raises((TypeError, ValueError)):
        encode_event(
            draft_event(context(), "agent_thinking", "a", {"text": object()}), offset=1, epoch="e", created_at=""
        )


@given(
    kind=st.sampled_from(EVENT_TYPES), epoch=st.uuids().map(str), agent=st.text(), text=st.text().map(lambda t: t + '"')
)
def test_type_and_epoch_are_read_without_decoding(kind: EventType, epoch: str, agent: str, text: str):
    one = draft_event(context(), kind, agent, {"text": text, "epoch": "other", "type": "other"})
    body = encode_event(one, offset=1, epoch=epoch, created_at=timestamp(0))
    assert encoded_type(body) == kind
    assert encoded_epoch(body) == epoch


@pytest.mark.parametrize(
    ("kind", "parent", "ends"),
    [("agent_completed", None, True), ("agent_completed", "p", False), ("agent_thinking", None, False)],
)
def test_only_the_roots_completion_ends_the_run(kind: EventType, parent: str | None, ends: bool):
    body = encode_event(draft(kind, "q", parent), offset=1, epoch="e", created_at=timestamp(0))
    assert decode_event(body).ends_run is ends


# The grammar


def test_a_whole_run_with_a_sub_agent_and_tools_is_accepted():
    made = grammar(
        draft("run_queued"),
        draft("agent_started"),
        draft("agent_thinking"),
        draft("tool_executing", call="1"),
        draft("agent_started", "child", "root"),
        draft("tool_executing", "child", "root", call="1"),
        draft("tool_completed", call="1"),
        draft("tool_completed", "child", "root", call="1"),
        draft("agent_message", "child", "root"),
        draft("agent_completed", "child", "root"),
        draft("approval_requested"),
        draft("approval_resolved"),
        draft("agent_completed"),
    )
    assert made.over
    assert made.is_completed("root")
    assert made.is_completed("child")
    assert not made.is_open("root")


REFUSED: tuple[tuple[str, RunGrammar, EventDraft], ...] = (
    ("anything before the start", RunGrammar(), draft("agent_thinking")),
    ("a completion before the start", RunGrammar(), draft("agent_completed")),
    ("a sub-agent before the root", RunGrammar(), draft("agent_started", "child", "root")),
    ("a second start", started(("root", None)), draft("agent_started")),
    ("a second root", started(("root", None)), draft("agent_started", "other")),
    ("a queue place after the start", started(("root", None)), draft("run_queued")),
    ("a tool that was not started", started(("root", None)), draft("tool_completed", call="1")),
    ("a tool without an id", started(("root", None)), draft("tool_executing")),
    (
        "a tool started twice",
        grammar(draft("agent_started"), draft("tool_executing", call="1")),
        draft("tool_executing", call="1"),
    ),
    (
        "a completion with an open tool",
        grammar(draft("agent_started"), draft("tool_executing", call="1")),
        draft("agent_completed"),
    ),
    ("a completion around a sub-agent", started(("root", None), ("child", "root")), draft("agent_completed")),
    ("another parent", started(("root", None), ("child", "root")), draft("agent_completed", "child", None)),
    (
        "a completed request that goes on",
        grammar(
            draft("agent_started"), draft("agent_started", "child", "root"), draft("agent_completed", "child", "root")
        ),
        draft("agent_thinking", "child", "root"),
    ),
    (
        "a completed request that starts again",
        grammar(
            draft("agent_started"), draft("agent_started", "child", "root"), draft("agent_completed", "child", "root")
        ),
        draft("agent_started", "child", "root"),
    ),
    (
        "a sub-agent of a completed request",
        grammar(
            draft("agent_started"), draft("agent_started", "child", "root"), draft("agent_completed", "child", "root")
        ),
        draft("agent_started", "grandchild", "child"),
    ),
    ("an event after the end", grammar(draft("agent_started"), draft("agent_completed")), draft("run_queued")),
    ("another run", started(("root", None)), draft_event(context(run="other"), "agent_thinking", "a", {})),
)


@pytest.mark.parametrize(("made", "wrong"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_the_grammar_refuses(made: RunGrammar, wrong: EventDraft):
    with pytest.raises(GrammarError) as caught:
        made.accept(wrong)
    assert caught.value.event_type == wrong.type


def test_a_refused_event_changes_nothing():
    made = started(("root", None))
    for _ in range(2):
        with pytest.raises(GrammarError):
            made.accept(draft("tool_completed", call="1"))
    made.accept(draft("agent_completed"))
    assert made.over


def test_what_was_checked_can_be_taken():
    made = grammar()
    for one in (draft("agent_started"), draft("tool_executing", call="1"), draft("tool_completed", call="1")):
        made.check(one)
        made.take(one)
        assert made.is_open("root")
    made.take(draft("agent_completed"))
    assert made.over


def test_closing_completes_what_is_open_innermost_first():
    made = grammar(
        draft("agent_started"),
        draft("tool_executing", call="1"),
        draft("agent_started", "child", "root"),
        draft("tool_executing", "child", "root", call="2"),
    )
    drafts = made.closing("interrupted", "interrupted", "the server was restarted")
    assert [(one.type, one.request_id) for one in drafts] == [
        ("tool_completed", "child"),
        ("agent_completed", "child"),
        ("tool_completed", "root"),
        ("agent_completed", "root"),
    ]
    assert drafts[0].data["status"] == "cancelled"
    assert drafts[-1].data == {
        "status": "interrupted",
        "error": {"code": "interrupted", "message": "the server was restarted"},
        "duration_ms": 0,
        "usage": {},
    }
    assert not made.over
    for one in drafts:
        made.accept(one)
    assert made.over


def test_closing_below_a_request_leaves_the_rest_open():
    made = started(("root", None), ("one", "root"), ("deep", "one"), ("two", "root"))
    drafts = made.closing("cancelled", "cancelled", "", below="one")
    assert [one.request_id for one in drafts] == ["deep", "one"]
    for one in drafts:
        made.accept(one)
    assert made.is_open("root")
    assert made.is_open("two")


def test_closing_nothing_writes_nothing():
    assert list(RunGrammar().closing("failed", "x", "y")) == []


KINDS = st.sampled_from(EVENT_TYPES)
REQUESTS = st.sampled_from(["root", "a", "b", "c"])


@given(
    st.lists(
        st.tuples(KINDS, REQUESTS, st.one_of(st.none(), REQUESTS), st.sampled_from(["1", "2"])),
        max_size=60,
    )
)
def test_whatever_is_accepted_and_then_closed_is_a_whole_run(
    events: list[tuple[EventType, str, str | None, str]],
) -> None:
    """The accepted events, with the closing ones, satisfy the sentences of the protocol, checked without RunGrammar."""
    made = RunGrammar()
    accepted: list[EventDraft] = []
    for kind, request, parent, call in events:
        one = draft(kind, request, parent if parent != request else None, call)
        try:
            made.accept(one)
        except GrammarError:
            continue
        accepted.append(one)
    for one in made.closing("interrupted", "interrupted", ""):
        made.accept(one)
        accepted.append(one)
    check_protocol([one for one in accepted if one.type != "run_queued"])
    assert made.over is bool([one for one in accepted if one.type != "run_queued"])


def check_protocol(events: list[EventDraft]) -> None:
    by_request: dict[str, list[int]] = {}
    for index, one in enumerate(events):
        by_request.setdefault(one.request_id, []).append(index)
    for request, indexes in by_request.items():
        mine = [events[index] for index in indexes]
        kinds = [one.type for one in mine]
        assert kinds[0] == "agent_started"
        assert kinds[-1] == "agent_completed"
        assert kinds.count("agent_started") == kinds.count("agent_completed") == 1
        running: set[str] = set()
        for one in mine:
            if one.type == "tool_executing":
                assert one.data["tool_call_id"] not in running
                running.add(one.data["tool_call_id"])
            elif one.type == "tool_completed":
                running.remove(one.data["tool_call_id"])
        assert not running
        parent = mine[0].parent_request_id
        assert {one.parent_request_id for one in mine} == {parent}
        if parent is None:
            assert (indexes[0], indexes[-1]) == (0, len(events) - 1), f"{request} does not span the run"
        else:
            assert by_request[parent][0] < indexes[0]
            assert indexes[-1] < by_request[parent][-1]
