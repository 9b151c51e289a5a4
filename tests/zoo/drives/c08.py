"""Two users ask exactly the same, one after another."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import site

__all__ = ["answers", "basket", "django", "tools"]


async def answers(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        await alice.put("/document", json={"text": stage.alice.canary})
        await bob.put("/document", json={"text": stage.bob.canary})
        first = await alice.post("/ask", json={"text": "Summarise my document"})
        second = await bob.post("/ask", json={"text": "Summarise my document"})
    return first.text, second.text


async def basket(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        await alice.put("/basket/items", params={"item": stage.alice.canary})
        await bob.put("/basket/items", params={"item": stage.bob.canary})
        first, second = await alice.get("/basket"), await bob.get("/basket")
    return first.text, second.text


def django(stage: Stage) -> tuple[str, str]:
    request = stage.load("django.http").HttpRequest
    user = stage.load("acme.auth").User
    stage.module.SUBSCRIPTIONS.update(alice=stage.alice.canary, bob=stage.bob.canary)
    view = stage.module.subscription
    return view(request(user=user("alice"))).text, view(request(user=user("bob"))).text


async def tools(stage: Stage) -> tuple[str, str]:
    mailboxes = stage.load("agents.mcp").MAILBOXES
    mailboxes.update({stage.alice.token: stage.alice.canary, stage.bob.token: stage.bob.canary})
    run = stage.module.run
    return await run("alice", stage.alice.token), await run("bob", stage.bob.token)
