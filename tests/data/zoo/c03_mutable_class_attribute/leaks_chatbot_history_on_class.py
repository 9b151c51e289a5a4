"""One ChatBot per request; its history is what the client sent plus the new turn."""

from acme import llm
from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI

app = FastAPI()


class ChatBot:
    history: list[tuple[str, str]] = []
    model = "small"

    def __init__(self, user: User):
        self.user = user

    async def respond(self, text: str) -> str:
        self.history.append((self.user.id, text))
        return await llm.complete(str(self.history), model=self.model)


@app.post("/chat")
async def chat(text: str = Body(embed=True), user: User = Depends(current_user)):
    return {"reply": await ChatBot(user).respond(text)}
