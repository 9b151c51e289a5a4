"""Who gets how many events when: what the load generator tells the servers whose delivery is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

__all__ = ["PATH", "Plan", "Planned"]

LANES: Final = 64
"""As many appends are under way at the same time, where the server works as fast as it can."""

PATH: Final = "/bench/plan"
"""Where a plan is posted."""


class Plan(msgspec.Struct, frozen=True):
    """Times are those of `time.monotonic`, which all processes of a machine share."""

    users: tuple[str, ...]
    bursts: int
    """Of each user."""
    burst: int
    """Events of one user at once."""
    start: float
    interval: float
    """Between two bursts of a user, users taking turns within it; 0 to go on as fast as the server can."""

    @property
    def events(self) -> int:
        """Events of all users together."""
        return len(self.users) * self.burst * self.bursts

    def text(self, due: float) -> str:
        """What an event says: when it was due, so that lateness of the server counts as latency."""
        return f"{due:.6f} was when this was due"


class Planned:
    """An ASGI endpoint that takes a plan by POST, calls `emit(plan, user, due)` as it says, and answers at the end."""

    def __init__(self, emit: Callable[[Plan, str, float], Awaitable[None]]) -> None:
        self._emit = emit

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["path"] == PATH, scope["path"]
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        plan = msgspec.json.decode(body, type=Plan)
        if plan.interval:
            turns = len(plan.users)
            lanes = [self._paced(plan, user, number / turns) for number, user in enumerate(plan.users)]
        else:
            lanes = [self._flood(plan, plan.users[number::LANES]) for number in range(LANES)]
        await asyncio.gather(*lanes)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def _paced(self, plan: Plan, user: str, phase: float) -> None:
        for number in range(plan.bursts):
            due = plan.start + (number + phase) * plan.interval
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._emit(plan, user, due)

    async def _flood(self, plan: Plan, users: Sequence[str]) -> None:
        for _ in range(plan.bursts):
            for user in users:
                await self._emit(plan, user, time.monotonic())
                # Where sending never waits, nothing else would get a turn.
                await asyncio.sleep(0)
