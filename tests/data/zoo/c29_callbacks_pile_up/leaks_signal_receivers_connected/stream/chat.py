from acme import llm

from .signals import token_made


class Run:
    def __init__(self, user_id: str):
        self.user_id = user_id
        self.tokens: list[str] = []

    async def answer(self, prompt: str) -> list[str]:
        def on_token(sender, token):
            self.tokens.append(token)

        token_made.connect(on_token)
        async for token in llm.stream(prompt):
            token_made.send(self, token)
        return self.tokens
