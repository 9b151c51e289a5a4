import asyncio

import structlog

from .audit import record


async def work(inbox: asyncio.Queue, outbox: asyncio.Queue) -> None:
    while True:
        message = await inbox.get()
        if message is None:
            return
        who = {key: message[key] for key in ("account", "email") if key in message}
        with structlog.contextvars.bound_contextvars(**who):
            await outbox.put(record(message["action"]))
