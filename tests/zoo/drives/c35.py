"""Two users reach what the application holds, together or one after another."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap, site

__all__ = ["aiohttp", "captive", "state"]


async def state(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first, second = await overlap(
            stage,
            alice.post("/letter", json={"text": "Dear", "address": stage.alice.canary}),
            bob.post("/letter", json={"text": "Dear", "address": stage.bob.canary}),
        )
    return first.text, second.text


async def captive(stage: Stage) -> tuple[str, str]:
    stage.module.ROWS.update(alice=[stage.alice.canary], bob=[stage.bob.canary])
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first, second = await alice.get("/report"), await bob.get("/report")
    return first.text, second.text


async def aiohttp(stage: Stage) -> tuple[str, str]:
    stage.module.INBOX.update(alice=stage.alice.canary, bob=stage.bob.canary)
    visit = stage.module.app.handle
    first, second = await overlap(
        stage, visit("GET", "/inbox", stage.alice.headers), visit("GET", "/inbox", stage.bob.headers)
    )
    return first.text, second.text
