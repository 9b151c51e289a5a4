"""Bob comes back and asks for what he missed."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import site

__all__ = ["sse", "store"]


async def sse(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        seen = await bob.post("/say", json={"text": "hello"})
        await alice.post("/say", json={"text": stage.alice.canary})
        missed = {"Last-Event-ID": str(seen.json()["id"])}
        first, second = await alice.get("/events", headers=missed), await bob.get("/events", headers=missed)
    return first.text, second.text


def store(stage: Stage) -> tuple[str, str]:
    transport, events = stage.module.Transport, stage.module.events
    alice, bob = transport("alice", events), transport("bob", events)
    seen = bob.send("hello")
    alice.send(stage.alice.canary)
    bob.resume(seen)
    return str(alice.sent), str(bob.sent)
