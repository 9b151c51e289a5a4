from .memory import ConversationBuffer

_saved: dict[str, list[str]] | None = None


def get_memory(session_id: str) -> ConversationBuffer:
    global _saved
    if _saved is None:
        _saved = {}
    return ConversationBuffer(session_id, _saved)
