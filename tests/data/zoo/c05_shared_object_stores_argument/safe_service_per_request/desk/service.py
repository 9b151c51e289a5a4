from acme import llm
from acme.auth import User


class SupportDesk:
    """Answers questions about a customer's open tickets."""

    def __init__(self, tickets: dict[str, str]):
        self.tickets = tickets
        self.user: User | None = None

    async def answer(self, user: User, question: str) -> str:
        self.user = user
        intent = await llm.complete(question)
        return f"{intent}\n{self._ticket()}"

    def _ticket(self) -> str:
        return self.tickets.get(self.user.id, "no ticket")
