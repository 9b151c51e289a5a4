"""A small service with a leak in it, for `carrel audit examples/leaky`: one desk serves everybody."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Question(BaseModel):
    user_id: str
    text: str


class Desk:
    """Answers questions, and remembers what was asked."""

    def __init__(self) -> None:
        self.user_id = ""
        self.history: list[str] = []

    async def ask(self, user_id: str, text: str) -> str:
        self.user_id = user_id
        self.history.append(text)
        return await self.answer()

    async def answer(self) -> str:
        return f"{self.user_id}, you asked: {'; '.join(self.history)}"


desk = Desk()


@app.post("/ask")
async def ask(question: Question) -> str:
    return await desk.ask(question.user_id, question.text)
