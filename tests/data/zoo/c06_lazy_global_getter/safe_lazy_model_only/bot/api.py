from acme import llm

from .providers import get_memory


async def reply(user_id: str, text: str) -> str:
    memory = get_memory(f"chat:{user_id}")
    memory.save(text)
    answer = await llm.complete("hm?")
    memory.save(answer)
    return memory.load()
