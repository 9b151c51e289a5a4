from acme import llm
from memory import Memory


class Assistant:
    async def ask(self, user_id: str, question: str, *, memory: Memory | None = None) -> str:
        memory = memory or Memory()
        memory.add(f"{user_id}: {question}")
        return await llm.complete("\n".join(memory.window()))


assistant = Assistant()
