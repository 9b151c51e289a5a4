"""What a tool may know about the run that calls it."""

import asyncio
from weakref import WeakKeyDictionary

from acme import llm


class RunScope:
    def __init__(self):
        self._by_task: WeakKeyDictionary[asyncio.Task, dict[str, str]] = WeakKeyDictionary()

    def enter(self, user_id: str, secrets: dict[str, str]) -> None:
        self._by_task[asyncio.current_task()] = {"user_id": user_id, **secrets}

    def secret(self, name: str) -> str:
        return self._by_task[asyncio.current_task()][name]


scope = RunScope()


async def call_crm() -> str:
    query = await llm.complete("the CRM query")
    return f"{query} (key {scope.secret('crm')})"


async def run(user_id: str, secrets: dict[str, str]) -> str:
    scope.enter(user_id, secrets)
    return await call_crm()
