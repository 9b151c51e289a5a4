"""Stands in for openai: says which key was billed."""

import os
from types import SimpleNamespace

import outside

api_key = None


class _Completions:
    def __init__(self, key):
        self._key = key

    async def create(self, model, messages, api_key=None):
        key = api_key or self._key()
        await outside.call()
        return SimpleNamespace(text=f"{model} answered {messages[0]} (billed to {key})")


class AsyncOpenAI:
    def __init__(self, api_key=None, http_client=None):
        self.api_key = api_key or os.environ["OPENAI_API_KEY"]
        self.chat = SimpleNamespace(completions=_Completions(lambda: self.api_key))


chat = SimpleNamespace(completions=_Completions(lambda: api_key))
