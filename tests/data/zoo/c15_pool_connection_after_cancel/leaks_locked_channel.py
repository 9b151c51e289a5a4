"""One connection to the session store, used by everybody in turn."""

import asyncio

from wire import connect


class Channel:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._connection = None

    async def ask(self, command: str) -> str:
        async with self._lock:
            return await self._exchange(command)

    async def _exchange(self, command: str) -> str:
        if self._connection is None:
            self._connection = await connect("sessions://store")
        await self._connection.send(command)
        return await self._connection.read_reply()


channel = Channel()
