"""Both users are connected; something happens that concerns Alice only."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import Socket, first_to_hear, site

__all__ = ["live", "queue", "socketio"]


async def live(stage: Stage) -> tuple[str, str]:
    sockets = [await Socket(stage.module.app, "/live", person).open() for person in (stage.alice, stage.bob)]
    async with site(stage.module.app, stage.alice) as (alice,):
        await alice.post("/research", json={"topic": stage.alice.canary})
    for socket in sockets:
        await socket.say("ping")
        await socket.hear()
    first, second = [str(await socket.close()) for socket in sockets]
    return first, second


async def socketio(stage: Stage) -> tuple[str, str]:
    sio = stage.module.sio
    await sio.join("sid-1", {"user_id": "alice"})
    await sio.join("sid-2", {"user_id": "bob"})
    await stage.module.Research("alice").run(stage.alice.canary)
    return str(sio.received["sid-1"]), str(sio.received["sid-2"])


async def queue(stage: Stage) -> tuple[str, str]:
    sockets = [await Socket(stage.module.app, "/ws", person).open() for person in (stage.bob, stage.alice)]
    async with site(stage.module.app, stage.alice) as (alice,):
        await alice.post("/upload", json={"text": stage.alice.canary})
    await first_to_hear(*sockets)
    second, first = [str(await socket.drop()) for socket in sockets]
    return first, second
