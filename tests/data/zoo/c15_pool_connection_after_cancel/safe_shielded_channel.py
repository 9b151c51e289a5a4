"""One connection to the session store, used by everybody in turn. A line is answered by a line."""

import asyncio

ADDRESS = "/run/sessions.sock"


class Channel:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._streams = None

    async def ask(self, command: str) -> str:
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(command)))

    async def _in_turn(self, command: str) -> str:
        async with self._lock:
            return await self._exchange(command)

    async def _exchange(self, command: str) -> str:
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(ADDRESS)
        reader, writer = self._streams
        writer.write(f"{command}\n".encode())
        await writer.drain()
        return (await reader.readline()).decode().strip()

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            await self._streams[1].wait_closed()


channel = Channel()
