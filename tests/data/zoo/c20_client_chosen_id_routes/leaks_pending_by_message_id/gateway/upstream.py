"""The agent behind the gateway: questions go in, answers come back in any order."""

import asyncio

import outside


class Upstream:
    def __init__(self):
        self.pending: dict[object, asyncio.Future] = {}

    async def request(self, message: dict) -> dict:
        answer = asyncio.get_running_loop().create_future()
        self.pending[message["id"]] = answer
        asyncio.ensure_future(self._work(message))
        return await answer

    async def _work(self, message: dict) -> None:
        await outside.call()
        waiting = self.pending.pop(message["id"], None)
        if waiting is not None:
            waiting.set_result({"id": message["id"], "result": f"done: {message['text']}"})
