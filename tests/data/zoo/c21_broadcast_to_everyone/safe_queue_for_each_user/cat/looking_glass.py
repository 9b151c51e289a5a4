"""The assistant, and what it has to say to whoever is connected."""

import asyncio
from collections import defaultdict


class Assistant:
    def __init__(self):
        self.ws_messages: defaultdict[str, asyncio.Queue[str]] = defaultdict(asyncio.Queue)

    async def notify(self, user_id: str, text: str) -> None:
        await self.ws_messages[user_id].put(text)

    async def next_message(self, user_id: str) -> str:
        return await self.ws_messages[user_id].get()
