"""Objects of libraries that hold a conversation, and the getters that give everybody one of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name, is_fixed

__all__ = ["given_conversations", "holds_conversation"]

_HOLDERS: Final = frozenset(
    {"ConversationChain", "ConversationBufferMemory", "ConversationBufferWindowMemory",
     "ConversationSummaryMemory", "ConversationSummaryBufferMemory", "ConversationTokenBufferMemory",
     "ConversationEntityMemory", "ChatMessageHistory", "InMemoryChatMessageHistory", "ChatMemoryBuffer",
     "ChatSummaryMemoryBuffer", "SimpleChatEngine", "ContextChatEngine", "CondenseQuestionChatEngine",
     "CondensePlusContextChatEngine", "ConversableAgent", "UserProxyAgent", "BufferedChatCompletionContext"}
)  # fmt: skip
"""Classes of LangChain, LlamaIndex and AutoGen whose objects keep what was said to them."""
_STARTS: Final = frozenset({"as_chat_engine", "start_chat"})
_MEMORIES: Final = frozenset({"memory", "chat_memory", "chat_history", "history"})


def holds_conversation(value: ast.expr | None, block: Block) -> bool:
    """Whether what the expression gives keeps what is said to it: a chain with a memory, a chat engine."""
    match value:
        case ast.Name():
            bindings = block.scope.bindings.get(value.id, ())
            return any(isinstance(one.value, ast.Call) and holds_conversation(one.value, block) for one in bindings)
        case ast.Await() | ast.NamedExpr():
            return holds_conversation(value.value, block)
        case ast.Call():
            name = called_name(value)
            # `ChatMemoryBuffer.from_defaults(...)`
            made = (
                value.func.value if isinstance(value.func, ast.Attribute) and name.startswith("from_") else value.func
            )
            owner = ast.unparse(made).rpartition(".")[2]
            if name in _STARTS or not _HOLDERS.isdisjoint((name, owner)):
                return not _is_stored_elsewhere(value)
            return any(one.arg in _MEMORIES and holds_conversation(one.value, block) for one in value.keywords)
    return False


def given_conversations(view: FileView) -> Iterator[tuple[ast.AST, Block]]:
    """The places where a cached function or a lazy global gives every caller one such object, with the function."""
    for function in view.functions:
        if view.is_cached(function) and not function.parameters:
            for returned in function.nodes(ast.Return):
                if holds_conversation(returned.value, function):
                    yield returned, function
    for mutation in view.mutations:
        if any(holds_conversation(one, mutation.block) for one in mutation.values):
            shared = any(one.kind in ("global", "class") and "()" not in one.steps for one in mutation.accesses)
            fixed = all(is_fixed(view, key, mutation.block) for key in mutation.keys)
            if shared and fixed and mutation.kind in ("rebind", "attribute", "item"):
                yield mutation.node, mutation.block


def _is_stored_elsewhere(call: ast.Call) -> bool:
    """Whether the conversation is found by the id of its session: `ChatMemoryBuffer(chat_store_key=user)`."""
    return any(one.arg in ("session_id", "chat_store_key", "get_session_history") for one in call.keywords)
