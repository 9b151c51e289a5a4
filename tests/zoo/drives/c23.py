"""Alice makes an object; Bob, signed in as himself, asks for it by its id."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import site

__all__ = ["download", "memories", "threads"]


async def threads(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        made = await alice.post("/threads", json={"title": stage.alice.canary})
        path = f"/threads/{made.json()['id']}"
        first, second = await alice.get(path), await bob.get(path)
    return first.text, second.text


async def memories(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        made = await alice.post("/memories", json={"text": stage.alice.canary})
        path = f"/memories/{made.json()['id']}"
        first = await alice.patch(path, json={"pinned": True})
        second = [await bob.get(path), await bob.patch(path, json={"pinned": False})]
    return first.text, "".join(response.text for response in second)


async def download(stage: Stage) -> tuple[str, str]:
    app = stage.module.app
    await app.handle("PUT", "/files/a.txt", stage.alice.headers, stage.alice.canary)
    first = await app.handle("GET", "/files/a.txt", stage.alice.headers)
    second = await app.handle("GET", "/files/a.txt", stage.bob.headers)
    return first.text, second.text
