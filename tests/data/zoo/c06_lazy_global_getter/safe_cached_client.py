"""The agent is made on first use; making it is slow."""

from functools import cache

from acme import llm
from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI


class Model:
    async def complete(self, messages: list[str]) -> str:
        return await llm.complete(" / ".join(messages))


class Agent:
    def __init__(self, model: Model):
        self.model = model
        self.transcript: list[str] = []

    async def step(self, text: str) -> str:
        self.transcript.append(text)
        return await self.model.complete(self.transcript)


@cache
def get_model() -> Model:
    return Model()


def get_agent() -> Agent:
    return Agent(get_model())


app = FastAPI()


@app.post("/chat")
async def chat(
    text: str = Body(embed=True), user: User = Depends(current_user), agent: Agent = Depends(get_agent)
):
    return {"reply": await agent.step(f"{user.id}: {text}")}
