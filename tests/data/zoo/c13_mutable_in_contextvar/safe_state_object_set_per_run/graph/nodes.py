from acme import llm

from .state import current


async def plan() -> None:
    current().log.append(await llm.complete("a plan"))


async def write() -> str:
    state = current()
    return f"{state.user_id}: {state.log[-1]} on {state.inputs}"
