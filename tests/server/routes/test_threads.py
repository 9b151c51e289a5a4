"""Conversations over HTTP, and the runs that are started in them."""

from __future__ import annotations

import anyio
import pytest

from tests.server.served import Caller, Served


async def thread_of(caller: Caller) -> str:
    thread_id: str = (await caller.http.post("/api/v1/threads")).json()["thread_id"]
    return thread_id


async def test_a_thread_is_made_read_renamed_and_deleted(server: Served) -> None:
    ann = await server.user("ann")
    made = await ann.http.post("/api/v1/threads", json={"title": "  First  "})
    thread = made.json()
    assert (made.status_code, thread["title"]) == (201, "First")
    url = f"/api/v1/threads/{thread['thread_id']}"
    assert (await ann.http.get(url)).json() == thread
    renamed = await ann.http.patch(url, json={"title": "Second"})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "Second")
    assert (await ann.http.delete(url)).status_code == 204
    assert (await ann.http.get(url)).status_code == 404


async def test_a_thread_needs_no_body(server: Served) -> None:
    ann = await server.user("ann")
    assert (await ann.http.post("/api/v1/threads")).json()["title"] == "New thread"


@pytest.mark.parametrize(
    "body",
    [{"title": ""}, {"title": " "}, {"title": "x" * 201}, {"title": "a\nb"}, {"title": 1}, {"tilte": "x"}],
    ids=str,
)
async def test_a_title_is_one_line_of_text(server: Served, body: dict[str, object]) -> None:
    ann = await server.user("ann")
    answer = await ann.http.post("/api/v1/threads", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(body))


async def test_threads_come_in_pages(server: Served) -> None:
    ann = await server.user("ann")
    made = [await thread_of(ann) for _ in range(5)]
    found: list[str] = []
    query = "limit=2"
    while query:
        page = (await ann.http.get(f"/api/v1/threads?{query}")).json()
        found += [thread["thread_id"] for thread in page["threads"]]
        query = f"limit=2&before={page['next']}" if page["next"] else ""
    assert found == made[::-1]


async def test_before_a_foreign_thread_is_before_a_missing_one(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    foreign = await bob.http.get(f"/api/v1/threads?before={await thread_of(ann)}")
    missing = await bob.http.get("/api/v1/threads?before=nothing")
    assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)


async def test_a_run_answers_in_its_thread(server: Served) -> None:
    ann = await server.user("ann")
    started = await ann.start("hello")
    assert (await ann.finished(started["run_id"]))["output"] == "HELLO"
    messages = (await ann.http.get(f"/api/v1/threads/{started['thread_id']}/messages")).json()["messages"]
    assert [(message["role"], message["text"]) for message in messages] == [("user", "hello"), ("assistant", "HELLO")]
    assert {message["run_id"] for message in messages} == {started["run_id"]}
    limited = (await ann.http.get(f"/api/v1/threads/{started['thread_id']}/messages?limit=1")).json()["messages"]
    assert limited == messages[1:]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "input"),
        ({"input": ""}, "input"),
        ({"input": " \n"}, "input"),
        ({"input": "x" * 32_769}, "input"),
        ({"input": "a\0b"}, "input"),
        ({"input": 5}, "input"),
        ({"input": "x", "if_busy": "wait"}, "if_busy"),
        ({"input": "x", "agent": 5}, "agent"),
        ({"input": "x", "user_id": "bob"}, "user_id"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_run_is_said(server: Served, body: dict[str, object], field: str) -> None:
    ann = await server.user("ann")
    answer = await ann.http.post(f"/api/v1/threads/{await thread_of(ann)}/runs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert field in {error["field"] for error in answer.json()["errors"]}


async def test_an_unknown_agent_is_refused_with_those_there_are(server: Served) -> None:
    ann = await server.user("ann")
    answer = await ann.http.post(f"/api/v1/threads/{await thread_of(ann)}/runs", json={"input": "x", "agent": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (422, "agent_not_found")
    assert [error["field"] for error in answer.json()["errors"]] == ["agent"]
    assert "echo" in answer.json()["detail"]


async def test_the_same_key_starts_one_run(server: Served) -> None:
    ann = await server.user("ann")
    url = f"/api/v1/threads/{await thread_of(ann)}/runs"
    runs = set()
    async with anyio.create_task_group() as group:

        async def start() -> None:
            answer = await ann.http.post(
                url, json={"input": "hello", "agent": "echo"}, headers={"Idempotency-Key": "k"}
            )
            assert answer.status_code == 202
            runs.add(answer.json()["run_id"])

        for _ in range(5):
            group.start_soon(start)
    assert len(runs) == 1
    long = await ann.http.post(url, json={"input": "x"}, headers={"Idempotency-Key": "k" * 129})
    assert long.status_code == 422


async def test_a_busy_thread_is_not_deleted_and_rejects_when_asked_to(server: Served) -> None:
    ann = await server.user("ann")
    started = await ann.start("wait", "stall")
    url = f"/api/v1/threads/{started['thread_id']}"
    deleted = await ann.http.delete(url)
    assert (deleted.status_code, deleted.json()["code"]) == (409, "thread_busy")
    second = await ann.http.post(f"{url}/runs", json={"input": "x", "agent": "echo", "if_busy": "reject"})
    assert (second.status_code, second.json()["code"]) == (409, "thread_busy")


async def test_with_event_stream_the_runs_events_are_the_answer(server: Served) -> None:
    ann = await server.user("ann")
    url = f"/api/v1/threads/{await thread_of(ann)}/runs"
    headers = {"Accept": "application/json;q=0.1, text/event-stream", "Idempotency-Key": "k"}
    answers = [await ann.http.post(url, json={"input": "hello", "agent": "echo"}, headers=headers) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["X-Accel-Buffering"] == "no"
        types = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
        assert types == ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]
    assert [line for line in answers[0].text.splitlines() if line.startswith("id:")] == [
        line for line in answers[1].text.splitlines() if line.startswith("id:")
    ]


async def test_with_event_stream_a_refusal_is_still_a_problem(server: Served) -> None:
    ann = await server.user("ann")
    answer = await ann.http.post(
        "/api/v1/threads/nothing/runs", json={"input": "x", "agent": "echo"}, headers={"Accept": "text/event-stream"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
