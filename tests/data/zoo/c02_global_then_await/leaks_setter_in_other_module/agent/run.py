from acme import llm

from . import scope, tools


async def run_agent(user_id: str, prompt: str) -> str:
    scope.activate(user_id)
    plan = await llm.complete(f"Which tool answers {prompt!r}?")
    events = await tools.list_events()
    return f"{plan}\n{events}"
