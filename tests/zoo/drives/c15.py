"""Alice goes away while her reply is under way; the next to ask is Bob."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.zoo.stage import Stage

__all__ = ["channel", "pool", "store"]


async def pool(stage: Stage) -> tuple[str, str]:
    client = stage.module.client
    return await _cancelled(stage, client.set, client.get)


async def channel(stage: Stage) -> tuple[str, str]:
    ask = stage.module.channel.ask
    async with store(stage) as address:
        stage.module.ADDRESS = address
        seen = await _cancelled(stage, lambda key, value: ask(f"SET {key} {value}"), lambda key: ask(f"GET {key}"))
        await stage.module.channel.close()
    return seen


@asynccontextmanager
async def store(stage: Stage) -> AsyncIterator[str]:
    """A store that answers each line with a line, in order; answering `GET` is what can be held."""
    stored: dict[str, str] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            verb, key, *value = line.decode().split()
            if verb == "SET":
                stored[key] = value[0]
            else:
                await stage.outside.call()
            writer.write(f"{stored[key]}\n".encode())
        writer.close()
        await writer.wait_closed()

    with tempfile.TemporaryDirectory() as directory:
        address = f"{directory}/store.sock"
        async with await asyncio.start_unix_server(serve, address):
            yield address


async def _cancelled(
    stage: Stage, store: Callable[[str, str], Awaitable[str]], read: Callable[[str], Awaitable[str]]
) -> tuple[str, str]:
    await store("alice", stage.alice.canary)
    await store("bob", stage.bob.canary)
    gate = stage.outside.hold()
    gone = asyncio.ensure_future(read("alice"))
    await gate.arrived.wait()
    gone.cancel()
    await asyncio.wait({gone})
    gate.released.set()
    bobs = await read("bob")
    return await read("alice"), bobs
