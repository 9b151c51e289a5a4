"""Two users choose the same id."""

from __future__ import annotations

import json

from tests.zoo.stage import Stage
from tests.zoo.traffic import Socket, first_to_hear, site

__all__ = ["gateway", "jobs"]


async def gateway(stage: Stage) -> tuple[str, str]:
    alice = await Socket(stage.module.app, "/ws", stage.alice).open()
    bob = await Socket(stage.module.app, "/ws", stage.bob).open()
    gate = stage.outside.hold()
    await alice.say(json.dumps({"id": 1, "text": stage.alice.canary}))
    await gate.arrived.wait()
    slow = stage.outside.hold()
    await bob.say(json.dumps({"id": 1, "text": stage.bob.canary}))
    await slow.arrived.wait()
    gate.released.set()
    await first_to_hear(alice, bob)
    return str(await alice.drop()), str(await bob.drop())


async def jobs(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        for browser, person in ((alice, stage.alice), (bob, stage.bob)):
            await browser.post("/jobs", json={"text": person.canary}, headers={"X-Request-Id": "1"})
        first, second = await alice.get("/jobs/1"), await bob.get("/jobs/1")
    return first.text, second.text
