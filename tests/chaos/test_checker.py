"""The checker accepts a good history and sees each way in which one can be bad."""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.checker import check_file, check_log, check_promises, check_stalled
from tests.chaos.journal import Event, Journal, Start

CANARY = "canary-0000000000000001"
STRANGER = "canary-0000000000000002"


def event(kind: str, request: str = "root", parent: str | None = None, run: str = "r", **data: Any) -> Event:
    ids = {"user_id": "u", "thread_id": "t", "run_id": run, "request_id": request, "parent_request_id": parent}
    return {"type": kind, "epoch": "e", "agent": "a", "created_at": "", "data": data, **ids}


def numbered(*events: Event) -> list[Event]:
    return [{**one, "offset": offset, "event_id": f"id{offset}"} for offset, one in enumerate(events, 1)]


def good() -> list[Event]:
    return numbered(
        event("run_queued", position=1),
        event("agent_started", input=f"{CANARY} 1"),
        event("tool_executing", tool_call_id="c", tool="x", arguments={}),
        event("agent_started", "sub", "root", input="more"),
        event("agent_thinking", "sub", "root", text="hm"),
        event("agent_completed", "sub", "root", status="failed", error={"code": "c", "message": "m"}),
        event("tool_completed", tool_call_id="c", tool="x", status="succeeded", result=1),
        event("agent_message", text=CANARY),
        event("agent_completed", status="succeeded", output=CANARY),
    )


def journal_of(events: list[Event]) -> Journal:
    start = Start("s", f"{CANARY} 1", "a", "enqueue", answers={"r"})
    return Journal(
        "ada", CANARY, "token", user_id="u", seen={e["offset"]: copy.deepcopy(e) for e in events}, starts=[start]
    )


def without(index: int) -> Callable[[list[Event]], list[Event]]:
    """The same run as if that event had never been, counted anew."""
    return lambda events: numbered(*events[:index], *events[index + 1 :])


def swapped(one: int, other: int) -> Callable[[list[Event]], list[Event]]:
    def swap(events: list[Event]) -> list[Event]:
        events[one], events[other] = events[other], events[one]
        return numbered(*events)

    return swap


def test_a_good_history_is_accepted() -> None:
    assert check_log(good()) == []
    assert check_promises(journal_of(good()), good()) == []


@pytest.mark.parametrize(
    "spoil",
    [
        *(without(index) for index in (1, 2, 3, 5, 6, 8)),
        *(swapped(*pair) for pair in ((0, 1), (1, 2), (2, 6), (5, 8), (7, 8), (3, 4), (4, 5))),
        lambda events: events[:4] + events[5:],
        lambda events: [*events, events[-1]],
        lambda events: numbered(*events, event("agent_thinking", text="late")),
        lambda events: numbered(*events, event("agent_completed", status="succeeded", output="")),
        lambda events: [*events[:-1], {**events[-1], "data": {"status": "done"}}],
        lambda events: [*events[:-1], {**events[-1], "data": {"status": "failed"}}],
        lambda events: [*events[:-1], {**events[-1], "epoch": "f"}],
        lambda events: [*events[:-1], {**events[-1], "user_id": "v"}],
        lambda events: [*events[:-1], {**events[-1], "event_id": "id1"}],
        lambda events: [*events[:4], {**events[4], "type": "surprise"}, *events[5:]],
        lambda events: [*events[:4], {**events[4], "parent_request_id": "nobody"}, *events[5:]],
    ],
)
def test_a_log_that_breaks_a_rule_is_seen(spoil: Callable[[list[Event]], list[Event]]) -> None:
    assert check_log(spoil(good()))


def test_a_lost_a_changed_and_an_invented_event_are_seen() -> None:
    journal = journal_of(good())
    assert check_promises(journal, good()[:-1])
    assert check_promises(journal, [*good()[:-1], {**good()[-1], "agent": "b"}])
    journal.saw({**good()[0], "event_id": "another"})
    assert journal.broken


def test_a_run_that_was_accepted_and_is_not_there_is_seen() -> None:
    journal = journal_of([])
    assert check_promises(journal, [])


def test_one_start_that_is_two_runs_is_seen() -> None:
    twice = numbered(*good(), *({**e, "run_id": "r2"} for e in good()))
    assert check_promises(journal_of(good()), twice)
    journal = journal_of(good())
    journal.starts[0].answers.add("r2")
    assert any("started 2 runs" in problem for problem in check_promises(journal, good()))


def test_a_foreign_canary_is_seen_in_what_is_sent_and_in_what_is_kept() -> None:
    journal = journal_of([])
    journal.heard(json.dumps({"type": "error", "message": STRANGER}))
    assert journal.broken
    kept = [*good()[:7], {**good()[7], "data": {"text": STRANGER}}, good()[8]]
    assert any(STRANGER in problem for problem in check_promises(journal_of([]), kept))


def test_a_foreign_event_is_seen() -> None:
    journal = journal_of([])
    journal.saw({**good()[0], "user_id": "v"})
    assert journal.broken


def test_what_a_stalled_client_saw_must_be_all_and_true() -> None:
    saw = [f"saw {offset} id{offset}" for offset in range(3, 10)]
    assert check_stalled([*saw, saw[2]], good()) == []
    assert check_stalled(saw[:-1], good())
    assert check_stalled([*saw[:2], *saw[3:]], good())
    assert check_stalled([*saw[:-1], "saw 9 another"], good())
    assert check_stalled([*saw, "broken: a stranger"], good())


def test_a_file_that_is_not_what_the_server_showed_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"

    def wrong(state: str, finished: str | None, events: list[Event], left: int = 0) -> list[str]:
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE open_runs (user_id, run_id)")
            connection.execute("CREATE TABLE event_log (user_id, offset, body)")
            connection.execute("CREATE TABLE runs (user_id, run_id, state, finished_at)")
            connection.execute("INSERT INTO runs VALUES ('u', 'r', ?, ?)", (state, finished))
            connection.executemany("INSERT INTO open_runs VALUES ('u', ?)", [(str(n),) for n in range(left)])
            rows = [("u", one["offset"], json.dumps(one)) for one in events]
            connection.executemany("INSERT INTO event_log VALUES (?, ?, ?)", rows)
        return check_file(path, {"u": good()})

    assert wrong("succeeded", "now", good()) == []
    assert wrong("failed", "now", good())
    assert wrong("running", None, good())
    assert wrong("succeeded", "now", good()[:-1])
    assert wrong("succeeded", "now", good(), left=1)
