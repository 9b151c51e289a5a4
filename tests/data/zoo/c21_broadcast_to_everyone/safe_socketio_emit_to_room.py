"""Progress of a research run, over Socket.IO."""

from functools import partial

import socketio
from acme import llm

sio = socketio.AsyncServer(async_mode="asgi")


@sio.event
async def connect(sid, environ, auth):
    await sio.enter_room(sid, f"user:{auth['user_id']}")


class Research:
    def __init__(self, user_id: str):
        self.user_id = user_id
        self.report = partial(sio.emit, "progress", to=f"user:{user_id}")

    async def run(self, topic: str) -> None:
        await self.report({"state": "started"})
        await self.report({"state": "found", "text": await llm.complete(topic)})
