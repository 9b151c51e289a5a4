"""Users bring their own key."""

import openai
from acme import llm


async def answer(api_key: str, question: str) -> str:
    rewritten = await llm.complete(question)
    client = openai.AsyncOpenAI(api_key=api_key)
    completion = await client.chat.completions.create(model="small", messages=[rewritten])
    return completion.text
