class ConversationBuffer:
    def __init__(self, session_id: str, saved: dict[str, list[str]]):
        self.session_id = session_id
        self.saved = saved

    def save(self, text: str) -> None:
        self.saved.setdefault(self.session_id, []).append(text)

    def load(self) -> str:
        return "\n".join(self.saved.get(self.session_id, []))
