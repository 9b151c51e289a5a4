from acme import llm

from .store import collection


async def answer(user_id: str, question: str) -> str:
    found = collection.query(query_texts=[question], n_results=4)
    context = "\n".join(found["documents"][0])
    return await llm.complete(f"{context}\n\n{question}")
