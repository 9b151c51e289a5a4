"""Objects of libraries that hold a conversation."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.conversations import given_conversations, holds_conversation
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("ConversationChain(llm=llm)", True),
        ("langchain.memory.ConversationBufferMemory()", True),
        ("LLMChain(llm=llm, memory=ConversationBufferMemory())", True),
        ("ChatMemoryBuffer.from_defaults(token_limit=5)", True),
        ("index.as_chat_engine(chat_mode='context')", True),
        ("await model.start_chat()", True),
        ("ConversationalRetrievalChain.from_llm(llm, memory=memory)", True),
        ("ConversationalRetrievalChain.from_llm(llm, memory=given)", False),
        ("LLMChain(llm=llm)", False),
        ("ChatOpenAI(temperature=0)", False),
        ("index.as_query_engine()", False),
        ("ChatMemoryBuffer(chat_store_key=user)", False),
        ("given", False),
    ],
)
def test_what_keeps_what_is_said_to_it(value: str, *, holds: bool) -> None:
    seen = view(f"async def f(given):\n    memory = ConversationBufferMemory()\n    return {value}\n")
    (function,) = seen.functions
    (returned,) = function.nodes(ast.Return)
    assert holds_conversation(returned.value, function) is holds


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("@cache\ndef chain():\n    return ConversationChain()", ["chain"]),
        ("def chain():\n    global _c\n    if _c is None:\n        _c = ConversationChain()\n    return _c", ["chain"]),
        ("class Chains:\n    @classmethod\n    def one(cls):\n        cls._c = ConversationChain()", ["one"]),
        ("@cache\ndef chain(session_id):\n    return ConversationChain()", []),
        ("def chain():\n    return ConversationChain()", []),
        ("def chain(user):\n    _c[user] = ConversationChain()", []),
        ("class Chains:\n    def one(self):\n        self._c = ConversationChain()", []),
    ],
)
def test_who_gives_everybody_the_same(source: str, names: list[str]) -> None:
    seen = view(f"from functools import cache\n_c = {{}}\n{source}\n")
    assert [function.name for _, function in given_conversations(seen)] == names
