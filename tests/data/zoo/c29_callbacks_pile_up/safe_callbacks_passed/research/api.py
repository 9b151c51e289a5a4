from .agent import get_agent


class Collector:
    def __init__(self, words: list[str]):
        self.words = words

    def __call__(self, word: str) -> None:
        self.words.append(word)


async def run(user_id: str, prompt: str, words: list[str]) -> None:
    agent = get_agent("research")
    await agent.run(prompt, callbacks=[Collector(words)])
