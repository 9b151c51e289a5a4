"""Takes mails to send from a queue; some are of a user, some of the system."""

import asyncio
from contextvars import ContextVar

from acme.auth import User

sender: ContextVar[User | None] = ContextVar("sender", default=None)
SIGNATURES: dict[str, str] = {}


def compose(text: str) -> str:
    user = sender.get()
    return f"{text}\n--\n{SIGNATURES[user.id] if user else 'The team'}"


async def consume(queue: asyncio.Queue, deliver) -> None:
    while (job := await queue.get()) is not None:
        if job.get("user"):
            sender.set(job["user"])
        await deliver(job["to"], compose(job["text"]))
