"""`/me/statistics`: what is counted of me, and of nobody else."""

from __future__ import annotations

from typing import Any

from carrel.context import UserId
from carrel.runtime.limits import USER_LIMITS
from tests.server.served import Caller, Served


async def statistics(caller: Caller) -> dict[str, Any]:
    answer = await caller.http.get("/api/v1/me/statistics")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_statistics_count_what_is_mine(server: Served) -> None:
    ann, bob = await server.user("ann", "usage:write"), await server.user("bob")
    await ann.finished((await ann.start("hello"))["run_id"])
    await ann.start("wait", "stall")
    counts = await statistics(ann)
    assert (counts["threads"], counts["messages"]) == (2, 3)
    assert counts["runs"]["succeeded"] == 1
    assert sum(counts["runs"].values()) == 2
    assert counts["events"]["top"] >= 5
    assert counts["connections"] == 0
    others = await statistics(bob)
    assert (others["threads"], sum(others["runs"].values()), others["events"]["top"]) == (0, 0, 0)


async def test_what_runs_used_is_counted_for_who_ran_them(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    server.services.meters.override(UserId(ann.user_id), {"concurrent_runs": 1})
    await ann.finished((await ann.start("hello"))["run_id"])
    waiting = [await ann.start("wait", "stall") for _ in range(3)]
    mine, others = await statistics(ann), await statistics(bob)
    assert (mine["running"], mine["queued"]) == (1, 2)
    assert (others["running"], others["queued"]) == (0, 0)
    counted = mine["counted"]
    assert (counted["runs_started"], counted["runs_ended"]) == (4, {"succeeded": 1})
    assert (counted["tool_calls"], counted["sub_agents"]) == (1, 0)
    assert counted["events"] == mine["events"]["top"]
    assert counted["run_seconds"]["count"] == sum(counted["run_seconds"]["counts"]) == 1
    assert counted["refused"] == {}
    nothing = others["counted"]
    assert [nothing[name] for name in ("runs_started", "tool_calls", "sub_agents", "events")] == [0, 0, 0, 0]
    assert (nothing["runs_ended"], nothing["refused"], nothing["run_seconds"]["count"]) == ({}, {}, 0)
    for run in waiting:
        await ann.http.post(f"/api/v1/runs/{run['run_id']}/cancel")
        await ann.finished(run["run_id"])
    assert (await statistics(ann))["counted"]["runs_ended"] == {"succeeded": 1, "cancelled": 3}


async def test_what_was_refused_and_what_is_stored_is_mine(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    await ann.start("wait", "stall")
    before = await statistics(ann)
    assert before["stored_bytes"] > 300
    assert (await statistics(bob))["stored_bytes"] == 0
    server.services.meters.override(UserId(ann.user_id), {"stored_bytes": 10})
    assert (await ann.http.post("/api/v1/threads")).status_code == 429
    after = await statistics(ann)
    assert after["counted"]["refused"] == {"stored_bytes": 1}
    assert (after["limits"]["stored_bytes"], tuple(after["limits"])) == (10, USER_LIMITS)
    assert isinstance(after["limits"]["stored_bytes"], int)
    others = await statistics(bob)
    assert (others["counted"]["refused"], others["limits"]) == ({}, before["limits"])
