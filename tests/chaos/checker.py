"""The checker: reads what clients wrote down and what the log holds, and says what does not fit.

It shares no code with the product: the grammar is written here a second time, from docs/reference/protocol.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.chaos.journal import CANARY, Event, Journal

ENDS = frozenset({"succeeded", "failed", "cancelled", "timed_out", "interrupted"})
TOOL_ENDS = frozenset({"succeeded", "failed", "denied", "cancelled"})
BETWEEN = {"agent_thinking", "agent_message", "approval_requested", "approval_resolved"}


def check_run(events: Sequence[Event]) -> list[str]:
    """What is wrong with the events of one run, in the order of the log."""
    wrong: list[str] = []
    for field in ("user_id", "thread_id", "run_id"):
        if len({event[field] for event in events}) != 1:
            wrong.append(f"several {field}s in one run")
    requests: dict[str, list[tuple[int, Event]]] = defaultdict(list)
    for index, event in enumerate(events):
        requests[event["request_id"]].append((index, event))
    roots = [request for request, mine in requests.items() if mine[0][1]["parent_request_id"] is None]
    if len(roots) != 1:
        return [*wrong, f"{len(roots)} roots"]
    if events[0]["request_id"] != roots[0]:
        wrong.append("does not begin with its root")
    if events[-1]["type"] != "agent_completed" or events[-1]["request_id"] != roots[0]:
        wrong.append(f"ends with {events[-1]['type']} of {events[-1]['agent']}")
    spans: dict[str, tuple[int, int]] = {}
    for request, mine in requests.items():
        wrong += check_request([event for _, event in mine], root=request == roots[0])
        spans[request] = (mine[0][0], mine[-1][0])
    for request, mine in requests.items():
        wrong += check_nesting(request, mine, spans)
    return wrong


def check_nesting(request: str, mine: Sequence[tuple[int, Event]], spans: dict[str, tuple[int, int]]) -> list[str]:
    """What is wrong with where a request lies."""
    parents = {event["parent_request_id"] for _, event in mine}
    wrong = [f"{request} has several parents"] if len(parents) != 1 else []
    for parent in (str(parent) for parent in parents if parent is not None):
        if parent not in spans:
            wrong.append(f"{request} has a parent that is not there")
        elif not (spans[parent][0] < spans[request][0] and spans[request][1] < spans[parent][1]):
            wrong.append(f"{request} is not inside its parent")
    return wrong


def check_request(events: Sequence[Event], *, root: bool) -> list[str]:
    """What is wrong with the events of one request."""
    wrong: list[str] = []
    while root and events and events[0]["type"] == "run_queued":
        events = events[1:]
    types = [event["type"] for event in events]
    if not types or types[0] != "agent_started" or types.count("agent_started") != 1:
        return [f"a request does not start once, and first: {types}"]
    if types[-1] != "agent_completed" or types.count("agent_completed") != 1:
        return [f"a request does not end once, and last: {types}"]
    wrong += check_outcome(events[-1]["data"], ENDS, "output")
    running: dict[str, str] = {}
    for event in events[1:-1]:
        data = event["data"]
        if event["type"] == "tool_executing":
            if data["tool_call_id"] in running:
                wrong.append("a tool call begins twice")
            running[data["tool_call_id"]] = data["tool"]
        elif event["type"] == "tool_completed":
            if running.pop(data["tool_call_id"], None) != data["tool"]:
                wrong.append("a tool call ends that did not begin")
            wrong += check_outcome(data, TOOL_ENDS, "result")
        elif event["type"] not in BETWEEN:
            wrong.append(f"{event['type']} inside a request")
    if running:
        wrong.append(f"tool calls without an end: {running}")
    return wrong


def check_outcome(data: dict[str, Any], statuses: frozenset[str], answer: str) -> list[str]:
    if data.get("status", "") not in statuses:
        return [f"no such status: {data}"]
    if data["status"] == "succeeded":
        return [] if answer in data else [f"succeeded without {answer}"]
    return [] if {"code", "message"} <= set(data.get("error", {})) else [f"an end without code and message: {data}"]


def check_log(events: Sequence[Event]) -> list[str]:
    """What is wrong with one user's whole log."""
    wrong: list[str] = []
    offsets = [event["offset"] for event in events]
    if offsets != list(range(1, len(offsets) + 1)):
        wrong.append(f"offsets have gaps or repeats: {offsets[:5]} … {offsets[-5:]} of {len(offsets)}")
    for field, count in (("epoch", 1), ("user_id", 1)):
        if len({event[field] for event in events}) > count:
            wrong.append(f"several {field}s in one log")
    if len({event["event_id"] for event in events}) != len(events):
        wrong.append("an event_id is there twice")
    runs: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        runs[event["run_id"]].append(event)
    for run_id, mine in runs.items():
        wrong += [f"run {run_id}: {problem} ({outline(mine)})" for problem in check_run(mine)]
    return wrong


def check_promises(journal: Journal, events: Sequence[Event]) -> list[str]:
    """What a user was shown or promised that is not in their log."""
    wrong = list(journal.broken)
    log = {event["offset"]: event for event in events}
    for offset, event in journal.seen.items():
        if log.get(offset) != event:
            wrong.append(f"event {offset} was seen as {event} and is {log.get(offset)} now")
    roots = [e for e in events if e["type"] == "agent_started" and e["parent_request_id"] is None]
    started = Counter(event["data"]["input"] for event in roots)
    begun = {event["run_id"] for event in roots}
    for start in journal.starts:
        if len(start.answers) > 1:
            wrong.append(f"{start.id} started {len(start.answers)} runs: {start.answers}")
        if started[start.input] > 1:
            wrong.append(f"{start.id} is {started[start.input]} runs in the log")
        wrong += [f"{start.id} was accepted as {run_id}, which is not in the log" for run_id in start.answers - begun]
    own = {start.input for start in journal.starts}
    wrong += [f"a run nobody asked for: {text}" for text in started if CANARY.search(text) and text not in own]
    strangers = set(CANARY.findall(json.dumps(list(events)))) - {journal.canary}
    if strangers:
        wrong.append(f"the log holds {strangers}")
    return wrong


def check_file(path: Path, logs: dict[str, Sequence[Event]]) -> list[str]:
    """What is wrong with the database, seen with SQLite alone; `logs` are the events that the server showed."""
    wrong: list[str] = []
    with closing(sqlite3.connect(path)) as connection:
        if (found := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            wrong.append(f"integrity_check: {found}")
        if left := connection.execute("SELECT user_id, run_id FROM open_runs").fetchall():
            wrong.append(f"runs are open: {left}")
        for user_id, shown in logs.items():
            rows = connection.execute("SELECT body FROM event_log WHERE user_id = ? ORDER BY offset", (user_id,))
            if [json.loads(body) for (body,) in rows] != list(shown):
                wrong.append(f"the log of {user_id} on the disk is not what the server showed")
            ends = {
                event["run_id"]: event["data"]
                for event in shown
                if event["type"] == "agent_completed" and event["parent_request_id"] is None
            }
            for run_id, state, finished in connection.execute(
                "SELECT run_id, state, finished_at FROM runs WHERE user_id = ?", (user_id,)
            ):
                if finished is None or state != ends.get(run_id, {}).get("status"):
                    wrong.append(f"run {run_id} is {state}, and its end in the log is {ends.get(run_id)}")
    return wrong


def check_stalled(lines: Sequence[str], events: Sequence[Event]) -> list[str]:
    """What a client that was stopped and went on has seen that is not so; it begins where the log was then."""
    log = {str(event["offset"]): event["event_id"] for event in events}
    seen = [line.split() for line in lines if line.startswith("saw ")]
    wrong = [line for line in lines if not line.startswith("saw ")]
    wrong += [f"the stalled client saw {words}" for words in seen if log.get(words[1]) != words[2]]
    offsets = sorted({int(offset) for _, offset, _ in seen})
    if offsets != list(range(offsets[0], len(events) + 1) if offsets else []):
        wrong.append(f"the stalled client has not seen everything: {offsets} of {len(events)}")
    return wrong


def outline(events: Sequence[Event]) -> str:
    """A run in one line."""
    return ", ".join(f"{event['offset']} {event['agent']}.{event['type']}" for event in events)
