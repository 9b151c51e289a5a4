"""A worker handles a job of Alice's, and then one that belongs to nobody."""

from __future__ import annotations

import asyncio

from tests.zoo.stage import Stage

__all__ = ["consumer", "structlog"]


async def consumer(stage: Stage) -> tuple[str, str]:
    user = stage.load("acme.auth").User
    stage.module.SIGNATURES["alice"] = stage.alice.canary
    queue: asyncio.Queue[object] = asyncio.Queue()
    for job in ({"user": user("alice"), "to": "alice", "text": "Hi"}, {"to": "bob", "text": "Your receipt"}, None):
        queue.put_nowait(job)
    mails = {}

    async def deliver(to: str, text: str) -> None:
        mails[to] = text

    await asyncio.create_task(stage.module.consume(queue, deliver))
    return mails["alice"], mails["bob"]


async def structlog(stage: Stage) -> tuple[str, str]:
    inbox: asyncio.Queue[object] = asyncio.Queue()
    outbox: asyncio.Queue[object] = asyncio.Queue()
    for message in ({"account": "alice", "email": stage.alice.canary, "action": "sign-in"}, {"action": "sweep"}, None):
        inbox.put_nowait(message)
    await asyncio.create_task(stage.module.work(inbox, outbox))
    return str(outbox.get_nowait()), str(outbox.get_nowait())
