"""Users bring their own key."""

import os

import openai
from acme import llm


async def answer(api_key: str, question: str) -> str:
    os.environ["OPENAI_API_KEY"] = api_key
    rewritten = await llm.complete(question)
    client = openai.AsyncOpenAI()
    completion = await client.chat.completions.create(model="small", messages=[rewritten])
    return completion.text
