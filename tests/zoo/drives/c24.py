"""Bob, signed in as himself, says in his request that he is Alice."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import site

__all__ = ["body", "header", "mcp"]


async def body(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first = await alice.post("/turns", json={"user_id": "alice", "text": stage.alice.canary})
        second = await bob.post("/turns", json={"user_id": "alice", "text": "?"})
    return first.text, second.text


async def header(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first = await alice.post("/contacts", json={"text": stage.alice.canary})
        second = await bob.get("/contacts", headers={"X-On-Behalf-Of": "alice"})
    return first.text, second.text


async def mcp(stage: Stage) -> tuple[str, str]:
    stage.module.EVENTS["alice"] = [stage.alice.canary]
    call = stage.module.mcp.call_tool
    first = await call("alice", "list_events", user_id="alice")
    second = await call("bob", "list_events", user_id="alice")
    return str(first), str(second)
