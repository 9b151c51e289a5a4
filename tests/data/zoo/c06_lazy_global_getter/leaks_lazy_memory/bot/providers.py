from .memory import ConversationBuffer

_memory: ConversationBuffer | None = None


def get_memory() -> ConversationBuffer:
    global _memory
    if _memory is None:
        _memory = ConversationBuffer()
    return _memory
