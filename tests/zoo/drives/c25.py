"""Alice and Bob both come without an identity; in the second case Alice also comes with hers."""

from __future__ import annotations

import httpx

from tests.zoo.stage import Stage

__all__ = ["anonymous", "optional"]


async def anonymous(stage: Stage) -> tuple[str, str]:
    transport = httpx.ASGITransport(app=stage.module.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://app.test") as http:
        first = await http.post("/chat", json={"text": stage.alice.canary})
        second = await http.post("/chat", json={"text": stage.bob.canary})
    return first.text, second.text


async def optional(stage: Stage) -> tuple[str, str]:
    remember = stage.module.remember
    signed_in = await remember(stage.alice.headers, stage.alice.canary)
    first = await remember({}, stage.alice.canary)
    second = await remember({}, stage.bob.canary)
    return str(signed_in + first), str(second)
