"""One MCP session: messages come in by POST and are handled in order by a loop."""

import asyncio

from . import auth, tools


class ServerSession:
    def __init__(self):
        self._incoming: asyncio.Queue = asyncio.Queue()
        self._loop: asyncio.Task | None = None

    async def post(self, token: str, message: dict) -> str:
        """Handles one HTTP request of this session."""
        auth.access_token.set(token)
        if self._loop is None:
            self._loop = asyncio.create_task(self._receive_loop())
        answer = asyncio.get_running_loop().create_future()
        await self._incoming.put((token, message, answer))
        return await answer

    async def _receive_loop(self) -> None:
        while True:
            token, message, answer = await self._incoming.get()
            auth.access_token.set(token)
            if message["method"] == "tools/call":
                answer.set_result(await tools.read_mail())
            else:
                answer.set_result("ok")

    async def close(self) -> None:
        if self._loop:
            self._loop.cancel()
