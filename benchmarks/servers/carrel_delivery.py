"""carrel's whole server, with a route beside it that appends events to the users' logs as a plan says.

`python -m benchmarks.servers.carrel_delivery serve`, settings from the environment. Delivery is measured without runs:
the events go into the real log, wake the real bridge and leave through the real WebSocket route.
"""

from __future__ import annotations

from typing import Any

import uvicorn

from benchmarks.servers.plan import PATH, Plan, Planned
from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, new_id
from carrel.events import draft_event
from carrel.server.app import create_app
from carrel.server.heap import settled_heap
from carrel.server.services import Services
from carrel.server.settings_sources import load_settings
from carrel.server.socket_protocol import FrameProtocol

__all__ = ["Ticker"]


class Ticker:
    """An ASGI application around the server's: takes a plan and appends until it is carried out."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._planned = Planned(self._emit)
        self._thread, self._run = ThreadId(new_id()), RunId(new_id())

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._planned(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _emit(self, plan: Plan, user: str, due: float) -> None:
        context = UserExecutionContext(
            user_id=UserId(user), thread_id=self._thread, run_id=self._run, request_id=RequestId(new_id())
        )
        data = {"text": plan.text(due)}
        drafts = [draft_event(context, "agent_thinking", "ticker", data) for _ in range(plan.burst)]
        services: Services = self._app.state.services
        logged = await services.log.append(context, drafts)
        services.bridge.publish(context.user_id, logged[-1].offset)


if __name__ == "__main__":
    settings = load_settings()
    with settled_heap():
        uvicorn.run(
            Ticker(create_app(settings)),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            loop="uvloop",
            ws=FrameProtocol,
            ws_per_message_deflate=False,
            access_log=False,
            backlog=8192,
        )
