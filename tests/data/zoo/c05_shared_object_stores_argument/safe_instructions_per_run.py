"""An agent that is told about the user's page before each answer."""

from acme import llm


class ChatAgent:
    def __init__(self, name: str, **options):
        self.name = name
        self.default_options = {"temperature": 0.2, "instructions": "", **options}

    async def run(self, message: str, **overrides) -> str:
        searched = await llm.complete(f"search terms for {message}")
        options = {**self.default_options, **overrides}
        return await llm.complete(f"{options['instructions']}\n{searched}")


class ContextAgent:
    """Adds what the user has open to the agent's instructions."""

    def __init__(self, agent: ChatAgent):
        self.agent = agent

    async def run(self, message: str, page: str) -> str:
        options = self.agent.default_options
        before = options["instructions"]
        return await self.agent.run(message, instructions=f"{before}\nThe user sees: {page}")


agent = ContextAgent(ChatAgent("writer", instructions="Be kind."))
