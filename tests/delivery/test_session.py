"""Tests of carrel.delivery.session."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carrel.delivery.actions import Acknowledge, Action, Close, ReadLog, ReadState, Verify
from carrel.delivery.frames import (
    CancelRunFrame,
    ErrorFrame,
    EventsFrame,
    HeartbeatFrame,
    PongFrame,
    ReadyFrame,
    ResolveApprovalFrame,
    Resume,
    StartRunFrame,
    encode_frame,
)
from carrel.delivery.log import LoggedEvent, LogState
from carrel.delivery.session import (
    ACKNOWLEDGE_SECONDS,
    AUTHENTICATE_SECONDS,
    EXPIRY_SECONDS,
    HEARTBEAT_SECONDS,
    MAX_UNACKNOWLEDGED,
    SEND_SECONDS,
    DeliverySession,
)
from carrel.errors import UnrecoverablePositionError


def event(offset: int, size: int = 0, epoch: str = "e") -> LoggedEvent:
    body = json.dumps({"type": "agent_thinking", "epoch": epoch, "x": "x" * size}, separators=(",", ":"))
    return LoggedEvent(offset, "r", False, body.encode())


def events(first: int, last: int, size: int = 0) -> Sequence[LoggedEvent]:
    return [event(offset, size) for offset in range(first, last + 1)]


def state(top: int = 0, oldest: int = 1, epoch: str = "e") -> LogState:
    return LogState(epoch, oldest, top, 0)


def opened(
    top: int = 0, resume: Resume | None = None, *, oldest: int = 1, expires_in: float = 1e6, now: float = 0.0
) -> DeliverySession:
    """A session that has sent `ready`."""
    session = DeliverySession(now)
    session.authenticated("ann", state(top, oldest), resume, expires_in=expires_in, now=now)
    assert isinstance(session.next_action(now), ReadyFrame)
    session.sent()
    return session


def deliver(session: DeliverySession, last: int, size: int = 0, now: float = 0.0) -> list[int]:
    """Let the writer work on a log that reaches to `last`, until it has nothing to do; the offsets that were sent."""
    sent: list[int] = []
    while (action := session.next_action(now)) is not None:
        if isinstance(action, ReadLog):
            session.loaded(events(action.after + 1, min(last, action.after + action.limit), size))
        elif isinstance(action, EventsFrame):
            sent.extend(one.offset for one in action.events)
            session.sent()
        else:
            raise AssertionError(f"unexpected {action}")
    return sent


def frame(session: DeliverySession, **fields: Any) -> Any:
    return session.receive(json.dumps(fields))


def code(session: DeliverySession) -> int | None:
    """What the connection is closed with, if it is."""
    return session.closed.code if session.closed is not None else None


def answer(session: DeliverySession) -> Action | None:
    action = session.next_action(0.0)
    session.sent()
    return action


def acking(top: int = 0) -> DeliverySession:
    """A session whose client has acknowledged once."""
    session = opened(top)
    assert frame(session, type="ack", offset=top) is None
    return session


# Authentication


def test_the_first_frame_asks_the_shell_to_verify():
    session = DeliverySession(0.0)
    assert frame(session, type="authenticate", token="t") == Verify("t", None)
    assert frame(session, type="authenticate", token="t", resume={"epoch": "e", "offset": 3}) == Verify(
        "t", Resume("e", 3)
    )
    assert session.next_action(0.0) is None


@pytest.mark.parametrize("kind", ["ping", "ack", "start_run", "cancel_run", "resolve_approval"])
def test_any_other_first_frame_is_refused_and_the_connection_goes_on(kind: str):
    session = DeliverySession(0.0)
    fields = {
        "id": "1",
        "offset": 0,
        "input": "x",
        "run_id": "r",
        "tool_call_id": "c",
        "approved": True,
    }
    assert frame(session, type=kind, **fields) is None
    error = answer(session)
    assert isinstance(error, ErrorFrame)
    assert error.code == "not_authenticated"
    assert error.id == (None if kind == "ack" else "1")
    assert code(session) is None


def test_who_does_not_authenticate_in_time_is_closed():
    session = DeliverySession(100.0)
    session.tick(100.0 + AUTHENTICATE_SECONDS - 0.1)
    assert code(session) is None
    session.tick(100.0 + AUTHENTICATE_SECONDS)
    assert session.next_action(111.0) == session.closed == Close(4500, "authenticate within 10 s")


def test_a_bad_token_closes_a_new_connection():
    session = DeliverySession(0.0)
    session.refused()
    assert code(session) == 4501


def test_nothing_is_read_before_the_client_is_known():
    session = DeliverySession(0.0)
    session.news(5)
    assert session.next_action(0.0) is None


@pytest.mark.parametrize(
    ("resume", "gap", "first"),
    [
        (None, False, 10),
        (Resume("e", 9), False, 10),
        (Resume("e", 6), False, 7),
        (Resume("e", 4), False, 5),
        (Resume("e", 3), True, 10),
        (Resume("e", 0), True, 10),
        (Resume("e", 10), True, 10),
        (Resume("other", 9), True, 10),
    ],
)
def test_delivery_begins_after_the_resumed_event_or_says_gap_and_follows_from_the_top(
    resume: Resume | None, gap: bool, first: int
):
    session = DeliverySession(0.0)
    session.authenticated("ann", state(top=9, oldest=5), resume, expires_in=60.0, now=0.0)
    assert answer(session) == ReadyFrame("ann", "e", 9, 5, gap)
    session.news(12)
    assert deliver(session, 12) == list(range(first, 13))


def test_what_is_announced_while_the_token_is_verified_is_sent():
    session = DeliverySession(0.0)
    session.news(4)
    session.authenticated("ann", state(top=3), None, expires_in=60.0, now=0.0)
    assert isinstance(answer(session), ReadyFrame)
    assert deliver(session, 4) == [4]


def test_a_verdict_after_the_close_changes_nothing():
    session = DeliverySession(0.0)
    session.close(4000, "going away")
    session.authenticated("ann", state(), None, expires_in=60.0, now=0.0)
    session.refused()
    assert session.next_action(0.0) == Close(4000, "going away")


# Renewal and expiry


def test_an_expired_token_has_a_time_of_grace():
    session = opened(expires_in=60.0)
    session.tick(60.0 + EXPIRY_SECONDS - 0.1)
    assert code(session) is None
    session.tick(60.0 + EXPIRY_SECONDS)
    assert code(session) == 4502


def test_renewing_the_token_moves_the_expiry_and_not_the_position():
    session = opened(top=3, expires_in=60.0)
    session.news(5)
    assert deliver(session, 5) == [4, 5]
    assert frame(session, type="authenticate", token="fresh") == Verify("fresh", None)
    session.authenticated("ann", state(top=6), None, expires_in=60.0, now=50.0)
    assert answer(session) == ReadyFrame("ann", "e", 6, 1, False)
    assert deliver(session, 6) == [6]
    session.tick(60.0 + EXPIRY_SECONDS)
    assert code(session) is None


@pytest.mark.parametrize(
    ("resume", "gap"),
    [(Resume("e", 3), False), (Resume("e", 5), False), (Resume("e", 2), True), (Resume("o", 5), True)],
)
def test_resuming_on_an_open_connection_tells_the_truth_about_it(resume: Resume, gap: bool):
    session = opened(top=3)
    session.news(5)
    deliver(session, 5)
    session.authenticated("ann", state(top=5), resume, expires_in=60.0, now=1.0)
    assert answer(session) == ReadyFrame("ann", "e", 5, 1, gap)
    assert session.next_action(1.0) is None


def test_another_users_token_closes_the_connection():
    session = opened()
    session.authenticated("bob", state(), None, expires_in=60.0, now=1.0)
    assert code(session) == 4501


def test_a_bad_fresh_token_leaves_the_old_one_its_time():
    session = opened()
    session.refused()
    error = answer(session)
    assert isinstance(error, ErrorFrame)
    assert error.code == "bad_token"
    assert code(session) is None


def test_a_token_that_has_expired_already_has_the_grace_and_no_more():
    session = opened(expires_in=-100.0)
    session.tick(EXPIRY_SECONDS - 0.1)
    assert code(session) is None
    session.tick(EXPIRY_SECONDS)
    assert code(session) is not None


# Frames


def test_commands_are_handed_to_the_shell():
    session = opened()
    assert isinstance(frame(session, type="start_run", id="1", input="x"), StartRunFrame)
    assert isinstance(frame(session, type="cancel_run", id="1", run_id="r"), CancelRunFrame)
    assert isinstance(
        frame(session, type="resolve_approval", id="1", tool_call_id="c", approved=True), ResolveApprovalFrame
    )


def test_a_ping_is_answered():
    session = opened()
    assert frame(session, type="ping", id="p") is None
    assert answer(session) == PongFrame("p")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type":"x"}', '{"type":"ack","offset":"1"}'])
def test_a_bad_frame_is_answered_and_the_connection_goes_on(text: str):
    session = opened()
    assert session.receive(text) is None
    assert isinstance(answer(session), ErrorFrame)
    assert code(session) is None
    session.news(1)
    assert deliver(session, 1) == [1]


@pytest.mark.parametrize("text", ["x" * (64 * 1024 + 1), "é" * (32 * 1024 + 1)])
def test_an_oversize_frame_is_answered_and_closes(text: str):
    session = opened()
    assert session.receive(text) is None
    assert isinstance(answer(session), ErrorFrame)
    closed = session.next_action(0.0)
    assert isinstance(closed, Close)
    assert closed.code == 4503


def test_the_largest_frame_is_accepted():
    padding = "x" * (64 * 1024 - len('{"type":"ping","id":"1","x":""}'))
    session = opened()
    session.receive(f'{{"type":"ping","id":"1","x":"{padding}"}}')
    assert answer(session) == PongFrame("1")


def test_a_binary_frame_closes():
    session = opened()
    session.refuse_frame("binary frames are not accepted")
    session.refuse_frame("again")
    assert isinstance(answer(session), ErrorFrame)
    assert session.next_action(0.0) == Close(4503, "binary frames are not accepted")
    assert session.receive('{"type":"ping"}') is None


def test_a_client_that_does_not_read_its_answers_is_closed():
    session = opened()
    for _ in range(300):
        frame(session, type="ping", id="p")
    assert code(session) == 4001


# Events


def test_events_come_in_groups_of_at_most_64_in_order():
    session = opened()
    session.news(150)
    groups: list[int] = []
    while (action := session.next_action(0.0)) is not None:
        if isinstance(action, ReadLog):
            session.loaded(events(action.after + 1, min(150, action.after + action.limit)))
        else:
            assert isinstance(action, EventsFrame)
            groups.append(len(action.events))
            session.sent()
    assert groups == [64, 64, 22]
    assert session.statistics().sent == 150


def test_a_group_of_large_events_is_smaller():
    session = opened()
    session.news(10)
    session.next_action(0.0)
    session.loaded(events(1, 10, size=100_000))
    sizes = []
    while isinstance(action := session.next_action(0.0), EventsFrame):
        sizes.append(len(action.events))
        session.sent()
    assert sizes == [2, 2, 2, 2, 2]


def test_a_single_event_may_be_larger_than_a_group():
    session = opened()
    session.news(1)
    session.next_action(0.0)
    session.loaded([event(1, size=300_000)])
    action = session.next_action(0.0)
    assert isinstance(action, EventsFrame)
    assert len(action.events) == 1


def test_news_that_was_heard_before_asks_for_nothing():
    session = opened(top=5)
    session.news(5)
    session.news(3)
    assert session.next_action(0.0) is None


def test_an_announcement_of_more_than_there_is_comes_to_rest():
    session = opened()
    session.news(9)
    assert isinstance(session.next_action(0.0), ReadLog)
    session.loaded([])
    assert session.next_action(0.0) is None


def test_news_during_an_empty_read_is_not_lost():
    session = opened()
    session.news(9)
    assert isinstance(session.next_action(0.0), ReadLog)
    session.news(1)
    session.loaded([])
    assert session.next_action(0.0) == ReadLog(0, 64)
    session.loaded(events(1, 1))
    action = session.next_action(0.0)
    assert isinstance(action, EventsFrame)


@pytest.mark.parametrize("wrong", [[event(1, epoch="other")], [event(2)]])
def test_events_of_another_log_close_the_connection(wrong: list[LoggedEvent]):
    session = opened()
    session.news(2)
    session.next_action(0.0)
    session.loaded(wrong)
    assert code(session) == 4000


def test_a_log_that_was_trimmed_closes_the_connection():
    session = opened()
    session.news(9)
    session.next_action(0.0)
    session.unreadable(UnrecoverablePositionError(0, 5, 9))
    assert code(session) == 4000


def test_an_answer_after_the_close_changes_nothing():
    session = opened()
    session.news(1)
    session.next_action(0.0)
    session.close(4501, "logged out")
    session.loaded(events(1, 1))
    session.observed(state(top=5))
    assert session.next_action(0.0) == Close(4501, "logged out")


def test_a_close_throws_away_what_waits():
    session = opened()
    session.news(1)
    session.next_action(0.0)
    session.loaded(events(1, 1))
    session.send(PongFrame("p"))
    session.close(4501, "logged out")
    session.close(4000, "later")
    session.send(PongFrame("q"))
    assert session.next_action(0.0) == Close(4501, "logged out")


# Acknowledgements


def test_an_ack_is_cumulative():
    session = opened()
    session.news(10)
    deliver(session, 10)
    assert frame(session, type="ack", offset=7) == Acknowledge(7)
    assert session.statistics().acknowledged == 7
    assert frame(session, type="ack", offset=10) == Acknowledge(10)


@pytest.mark.parametrize("offset", [11, 6, 0, 10**30])
def test_an_ack_beyond_what_was_sent_or_behind_an_earlier_one_is_an_error(offset: int):
    session = opened()
    session.news(10)
    deliver(session, 10)
    frame(session, type="ack", offset=7)
    assert frame(session, type="ack", offset=offset) is None
    error = answer(session)
    assert isinstance(error, ErrorFrame)
    assert error.code == "invalid_ack"
    assert "7" in error.message
    assert "10" in error.message
    assert session.statistics().acknowledged == 7
    assert code(session) is None


def test_the_same_ack_again_is_no_error():
    session = opened()
    session.news(3)
    deliver(session, 3)
    frame(session, type="ack", offset=3)
    assert frame(session, type="ack", offset=3) is None
    assert session.next_action(0.0) is None


def test_events_that_are_only_read_cannot_be_acknowledged():
    session = opened()
    session.news(3)
    session.next_action(0.0)
    session.loaded(events(1, 3))
    assert frame(session, type="ack", offset=1) is None
    assert isinstance(answer(session), ErrorFrame)


def test_a_plain_reader_is_never_paused():
    session = opened()
    session.news(5_000)
    assert deliver(session, 5_000) == list(range(1, 5_001))


def test_sending_pauses_while_too_much_is_unacknowledged():
    session = acking()
    session.news(1_000)
    first = deliver(session, 1_000)
    assert MAX_UNACKNOWLEDGED < len(first) <= MAX_UNACKNOWLEDGED + 64
    assert session.paused
    frame(session, type="ack", offset=len(first) - MAX_UNACKNOWLEDGED - 1)
    assert deliver(session, 1_000) == []
    frame(session, type="ack", offset=len(first) - MAX_UNACKNOWLEDGED)
    assert not session.statistics().paused
    assert deliver(session, 1_000)[0] == first[-1] + 1


def test_heartbeats_and_answers_pass_a_pause():
    session = acking()
    session.news(1_000)
    deliver(session, 1_000)
    frame(session, type="ping", id="p")
    assert answer(session) == PongFrame("p")
    session.tick(HEARTBEAT_SECONDS)
    assert isinstance(session.next_action(HEARTBEAT_SECONDS), ReadState)


# Slow consumers


def test_a_full_queue_closes_a_paused_connection():
    session = acking()
    session.news(320)
    deliver(session, 320)
    assert session.paused
    for top in range(321, 833):
        session.news(top)
    assert code(session) is None
    session.news(833)
    assert code(session) == 4001


def test_too_many_bytes_close_a_paused_connection():
    session = acking()
    session.news(320)
    deliver(session, 320)
    session.news(325)
    for offset in range(321, 326):
        assert session.next_action(0.0) == ReadLog(offset - 1, 64)
        session.loaded([event(offset, size=250_000)])
        if session.closed is not None:
            break
    assert code(session) == 4001
    assert offset == 325


def test_a_queue_that_is_full_while_nothing_can_be_written_closes():
    session = opened()
    session.news(1)
    session.next_action(0.0)
    session.loaded(events(1, 1))
    assert isinstance(session.next_action(0.0), EventsFrame)
    assert session.sending
    session.news(513)
    assert code(session) is None
    session.news(514)
    assert code(session) is not None


def test_a_long_backlog_is_nobodys_fault():
    session = opened(top=10_000, resume=Resume("e", 0))
    frame(session, type="ack", offset=0)
    first = deliver(session, 10_000)
    assert session.paused
    session.news(10_400)
    assert code(session) is None
    assert session.next_action(0.0) is None
    assert session.statistics().waiting <= 64
    frame(session, type="ack", offset=len(first))
    assert deliver(session, 10_400)[0] == len(first) + 1


def test_progress_starts_the_count_of_what_waits_again():
    session = acking()
    session.news(320)
    deliver(session, 320)
    session.news(720)
    frame(session, type="ack", offset=320)
    deliver(session, 720)
    assert session.paused
    session.news(1_200)
    assert code(session) is None


def test_what_is_read_during_a_pause_is_sent_after_it():
    session = acking()
    session.news(320)
    deliver(session, 320)
    session.news(400)
    assert deliver(session, 400) == []
    assert session.statistics().waiting == 80
    frame(session, type="ack", offset=320)
    assert deliver(session, 400) == list(range(321, 401))


def test_a_write_that_stalls_closes_the_connection():
    session = opened()
    session.send(PongFrame("p"))
    session.next_action(0.0)
    session.tick(SEND_SECONDS - 0.1)
    assert code(session) is None
    session.tick(SEND_SECONDS)
    assert code(session) == 4001


def test_a_pause_without_any_ack_ends_the_connection():
    session = acking()
    session.news(320)
    deliver(session, 320, now=5.0)
    session.tick(5.0 + ACKNOWLEDGE_SECONDS - 0.1)
    assert code(session) is None
    frame(session, type="ack", offset=10)
    while session.next_action(60.0) is not None:
        session.sent()
    session.tick(5.0 + ACKNOWLEDGE_SECONDS)
    assert code(session) is None
    session.tick(60.0 + ACKNOWLEDGE_SECONDS)
    assert code(session) == 4001


# Heartbeats


def test_a_heartbeat_tells_the_top_of_the_log_as_it_is():
    session = opened()
    session.tick(HEARTBEAT_SECONDS - 0.1)
    assert session.next_action(0.0) is None
    session.tick(HEARTBEAT_SECONDS)
    assert session.next_action(HEARTBEAT_SECONDS) == ReadState()
    session.observed(state(top=2))
    assert answer(session) == HeartbeatFrame(2)
    assert deliver(session, 2) == [1, 2]
    session.tick(2 * HEARTBEAT_SECONDS - 0.1)
    assert session.next_action(0.0) is None
    session.tick(2 * HEARTBEAT_SECONDS)
    assert session.next_action(0.0) == ReadState()


def test_a_heartbeat_moves_no_position():
    session = opened()
    session.tick(HEARTBEAT_SECONDS)
    session.next_action(0.0)
    session.observed(state(top=3))
    assert session.statistics().sent == 0


def test_a_heartbeat_notices_a_log_that_was_recreated():
    session = opened(top=5)
    session.tick(HEARTBEAT_SECONDS)
    session.next_action(0.0)
    session.observed(state(top=5, epoch="other"))
    assert code(session) == 4000


def test_a_closed_session_lets_time_pass():
    session = opened()
    session.close(4501, "logged out")
    session.tick(1e9)
    assert session.closed == Close(4501, "logged out")


def test_statistics_say_how_far_it_has_come():
    session = opened(top=4, resume=Resume("e", 2))
    assert session.epoch == "e"
    assert not session.sending
    seen = session.statistics()
    assert (seen.top, seen.sent, seen.acknowledged, seen.waiting, seen.paused) == (4, 2, 2, 0, False)


# Anything at all

FIELD = st.sampled_from(
    ["type", "token", "resume", "id", "input", "thread_id", "agent", "if_busy", "run_id", "offset", "approved"]
)
KIND = st.sampled_from(["authenticate", "start_run", "cancel_run", "resolve_approval", "ack", "ping", "ready", ""])
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.text(max_size=8) | KIND,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | FIELD, inner, max_size=3),
    max_leaves=5,
)
LIKELY = st.fixed_dictionaries({"type": KIND}, optional={"id": st.text(max_size=4), "offset": st.integers(-2, 9)})
TEXT = (
    st.text(max_size=40)
    | st.builds(json.dumps, VALUE)
    | st.builds(json.dumps, st.dictionaries(FIELD, VALUE, max_size=5))
    | st.builds(json.dumps, LIKELY)
)


@settings(max_examples=200)
@given(texts=st.lists(TEXT, max_size=8), known=st.booleans())
def test_whatever_a_client_sends_is_taken_or_answered(texts: list[str], known: bool):
    session = opened(top=3) if known else DeliverySession(0.0)
    for text in texts:
        request = session.receive(text)
        actions = []
        while (action := session.next_action(0.0)) is not None:
            actions.append(action)
            session.sent()
        assert code(session) is None, "no text of normal size ends a connection"
        if request is not None:
            assert actions == []
            assert known or isinstance(request, Verify)
        elif actions:
            assert len(actions) == 1
            assert isinstance(actions[0], ErrorFrame | PongFrame)
            json.loads(encode_frame(actions[0]))
        else:
            assert json.loads(text)["type"] == "ack"
