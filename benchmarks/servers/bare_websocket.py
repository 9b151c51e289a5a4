"""The floor under event delivery: uvicorn alone sends the same bytes; no log, no acknowledgement, no identity.

`python -m benchmarks.servers.bare_websocket PORT`. It greets clients and takes plans as `carrel_delivery` does, so that
one load generator measures both.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import msgspec
import uvicorn

from benchmarks.servers.plan import Plan, Planned
from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, new_id
from carrel.events import draft_event, encode_event, timestamp

__all__ = ["BareServer", "event_template"]


def event_template() -> str:
    """A carrel event with holes for the offset, the user and the text: as many bytes as the real one."""
    context = UserExecutionContext(
        user_id=UserId("@user@"), thread_id=ThreadId(new_id()), run_id=RunId(new_id()), request_id=RequestId(new_id())
    )
    draft = draft_event(context, "agent_thinking", "ticker", {"text": "@text@"})
    body = encode_event(draft, offset=777, epoch=new_id(), created_at=timestamp(time.time())).decode()
    return body.replace('"offset":777', '"offset":%d').replace("@user@", "%s").replace("@text@", "%s")


class BareServer:
    """An ASGI application that sends each connection what the plan says for its user."""

    def __init__(self) -> None:
        self._sends: dict[str, Any] = {}
        self._tops: dict[str, int] = {}
        self._template = event_template()
        self._planned = Planned(self._emit)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._websocket(receive, send)
        elif scope["type"] == "http":
            await self._planned(scope, receive, send)
        else:
            for _ in range(2):
                message = await receive()
                await send({"type": f"{message['type']}.complete"})

    async def _websocket(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "carrel.v1"})
        user = msgspec.json.decode((await receive())["text"])["token"]
        self._sends[user] = send
        top = self._tops.setdefault(user, 0)
        ready = {"type": "ready", "user_id": user, "epoch": "bare", "top": top, "oldest": 1, "gap": False}
        await send({"type": "websocket.send", "text": msgspec.json.encode(ready).decode()})
        while (await receive())["type"] == "websocket.receive":
            pass
        del self._sends[user]

    async def _emit(self, plan: Plan, user: str, due: float) -> None:
        text, top = plan.text(due), self._tops[user]
        self._tops[user] = top + plan.burst
        events = ",".join(self._template % (number, user, text) for number in range(top + 1, top + 1 + plan.burst))
        await self._sends[user]({"type": "websocket.send", "text": f'{{"type":"events","events":[{events}]}}'})


if __name__ == "__main__":
    uvicorn.run(
        BareServer(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        backlog=8192,
    )
