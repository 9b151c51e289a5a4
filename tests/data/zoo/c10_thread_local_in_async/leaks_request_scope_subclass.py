"""What a tool may know about the run that calls it."""

import threading

from acme import llm


class RunScope(threading.local):
    user_id: str = ""
    secrets: dict[str, str]

    def enter(self, user_id: str, secrets: dict[str, str]) -> None:
        self.user_id = user_id
        self.secrets = secrets

    def secret(self, name: str) -> str:
        return self.secrets[name]


scope = RunScope()


async def call_crm() -> str:
    query = await llm.complete("the CRM query")
    return f"{query} (key {scope.secret('crm')})"


async def run(user_id: str, secrets: dict[str, str]) -> str:
    scope.enter(user_id, secrets)
    return await call_crm()
