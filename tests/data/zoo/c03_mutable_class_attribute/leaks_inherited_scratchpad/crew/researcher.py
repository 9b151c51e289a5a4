from .base import BaseAgent


class Researcher(BaseAgent):
    tools = ("search", "browse")

    async def work(self, goal: str) -> str:
        self.note(f"goal of {self.owner}", goal)
        return self.notes()
