from acme import llm


class Agent:
    def __init__(self, name: str):
        self.name = name
        self.callbacks: list = []

    async def run(self, prompt: str, callbacks=()) -> None:
        async for word in llm.stream(prompt):
            for callback in [*self.callbacks, *callbacks]:
                callback(word)


AGENTS = {"research": Agent("research")}


def get_agent(name: str) -> Agent:
    return AGENTS[name]
