"""Bob connects while Alice's answer is being made."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import Socket, first_to_hear, site

__all__ = ["notify", "terminal"]


async def notify(stage: Stage) -> tuple[str, str]:
    sockets = [await Socket(stage.module.app, "/ws", person).open() for person in (stage.alice, stage.bob)]
    async with site(stage.module.app, stage.alice) as (alice,):
        await alice.post("/ask", json={"text": stage.alice.canary})
    for socket in sockets:
        await socket.say("ping")
        await socket.hear()
    first, second = [str(await socket.close()) for socket in sockets]
    return first, second


async def terminal(stage: Stage) -> tuple[str, str]:
    alice = await Socket(stage.module.app, "/terminal", stage.alice).open()
    gate = stage.outside.hold()
    await alice.say(stage.alice.canary)
    await gate.arrived.wait()
    bob = await Socket(stage.module.app, "/terminal", stage.bob).open()
    gate.released.set()
    await first_to_hear(alice, bob)
    return str(await alice.drop()), str(await bob.drop())
