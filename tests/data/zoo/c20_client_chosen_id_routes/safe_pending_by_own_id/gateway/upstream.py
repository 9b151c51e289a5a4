"""The agent behind the gateway: questions go in, answers come back in any order."""

import asyncio
import itertools

import outside


class Upstream:
    def __init__(self):
        self.pending: dict[object, asyncio.Future] = {}
        self._numbers = itertools.count(1)

    async def request(self, message: dict) -> dict:
        answer = asyncio.get_running_loop().create_future()
        number = next(self._numbers)
        self.pending[number] = answer
        asyncio.ensure_future(self._work({**message, "id": number}))
        return {**await answer, "id": message["id"]}

    async def _work(self, message: dict) -> None:
        await outside.call()
        waiting = self.pending.pop(message["id"], None)
        if waiting is not None:
            waiting.set_result({"id": message["id"], "result": f"done: {message['text']}"})
