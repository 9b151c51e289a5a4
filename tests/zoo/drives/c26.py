"""Bob, signed in as himself, presents the id of Alice's session."""

from __future__ import annotations

import json

from tests.zoo.stage import Stage
from tests.zoo.traffic import Socket, site

__all__ = ["header", "resume"]


async def header(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        opened = await alice.post("/initialize")
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
        first = await alice.post("/message", json={"text": stage.alice.canary}, headers=session)
        second = await bob.post("/message", json={"text": "?"}, headers=session)
    return first.text, second.text


async def resume(stage: Stage) -> tuple[str, str]:
    alice = await Socket(stage.module.app, "/shell", stage.alice).open()
    session = json.loads((await alice.hear())[0])["session"]
    await alice.say(stage.alice.canary)
    await alice.close()
    seen = []
    for person in (stage.alice, stage.bob):
        socket = await Socket(stage.module.app, f"/shell?session={session}", person).open()
        seen.append(str(await socket.hear()))
        await socket.close()
    first, second = seen
    return first, second
