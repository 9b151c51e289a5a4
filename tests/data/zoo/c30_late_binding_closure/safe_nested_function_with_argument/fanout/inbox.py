class Inbox:
    def __init__(self):
        self.messages: list[str] = []

    async def deliver(self, text: str) -> None:
        self.messages.append(text)
