"""The assistant, and what it has to say to whoever is connected."""

import asyncio


class Assistant:
    def __init__(self):
        self.ws_messages: asyncio.Queue[str] = asyncio.Queue()

    async def notify(self, user_id: str, text: str) -> None:
        await self.ws_messages.put(text)

    async def next_message(self, user_id: str) -> str:
        return await self.ws_messages.get()
