"""Sets the provider up from the user's settings."""

import openai
from acme import llm

DEFAULTS = {"timeout": 30, "max_retries": 2}


def configure(**settings) -> None:
    for name, value in {**DEFAULTS, **settings}.items():
        setattr(openai, name, value)


async def answer(api_key: str, question: str) -> str:
    configure()
    rewritten = await llm.complete(question)
    completion = await openai.chat.completions.create(model="small", messages=[rewritten], api_key=api_key)
    return completion.text
