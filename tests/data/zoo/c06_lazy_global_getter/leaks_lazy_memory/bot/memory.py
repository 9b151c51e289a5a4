class ConversationBuffer:
    def __init__(self):
        self.session_id = None
        self.saved: dict[str, list[str]] = {}

    def open(self, session_id: str) -> None:
        self.session_id = session_id

    def save(self, text: str) -> None:
        self.saved.setdefault(self.session_id, []).append(text)

    def load(self) -> str:
        return "\n".join(self.saved.get(self.session_id, []))
