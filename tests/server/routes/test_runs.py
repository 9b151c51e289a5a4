"""Runs over HTTP: how far they have come, and how they are stopped."""

from __future__ import annotations

from carrel.context import RequestId, UserContext, UserId
from tests.server.served import Served


async def test_a_run_is_shown_as_far_as_it_has_come(server: Served) -> None:
    ann = await server.user("ann")
    started = await ann.start("hello")
    record = await ann.finished(started["run_id"])
    assert record["error"] is None
    assert {name: record[name] for name in ("run_id", "thread_id", "agent", "input", "state", "output")} == {
        **started,
        "agent": "echo",
        "input": "hello",
        "state": "succeeded",
        "output": "HELLO",
    }
    assert record["created_at"] < record["finished_at"]
    assert record["usage"] == {}


async def test_delivered_is_what_the_users_clients_have_acknowledged(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    started = await ann.start("hello")
    other = await bob.start("hello")
    assert (await ann.finished(started["run_id"]))["delivered"] == 0
    user = UserContext(user_id=UserId(ann.user_id), request_id=RequestId("r"))
    server.services.log.acknowledge(user, 3)
    assert (await ann.finished(started["run_id"]))["delivered"] == 3
    assert (await bob.finished(other["run_id"]))["delivered"] == 0


async def test_a_run_is_cancelled_once(server: Served) -> None:
    ann = await server.user("ann")
    started = await ann.start("wait", "stall")
    cancelled = await ann.http.post(f"/api/v1/runs/{started['run_id']}/cancel")
    assert (cancelled.status_code, cancelled.json()) == (202, started)
    record = await ann.finished(started["run_id"])
    assert (record["state"], record["error"]["code"]) == ("cancelled", "cancelled")
    # Its end is written down a moment before its place is free; until then it may be cancelled again.
    again = cancelled
    while again.status_code == 202:
        again = await ann.http.post(f"/api/v1/runs/{started['run_id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "run_over")


async def test_no_tool_call_waits_for_approval(server: Served) -> None:
    ann = await server.user("ann")
    started = await ann.start("hello")
    url = f"/api/v1/runs/{started['run_id']}/approvals/call"
    assert (await ann.http.post(url, json={"approved": True, "reason": "why not"})).status_code == 404
    assert (await ann.http.post(url, json={"approved": "yes"})).status_code == 422


async def test_an_approval_of_a_foreign_run_answers_like_one_of_a_missing_run(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    started = await ann.start("wait", "stall")
    foreign, missing = [
        await bob.http.post(f"/api/v1/runs/{run}/approvals/call", json={"approved": True})
        for run in (started["run_id"], "never-was")
    ]
    assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
