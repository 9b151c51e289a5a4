from acme import llm
from acme.auth import User, current_user
from fastapi import Depends, FastAPI
from pydantic import BaseModel

from .history import turns

app = FastAPI(title="Assistant")


class Message(BaseModel):
    text: str


@app.post("/chat")
async def chat(message: Message, user: User = Depends(current_user)):
    conversation = turns[user.id]
    conversation.append({"role": "user", "content": message.text})
    prompt = "\n".join(turn["content"] for turn in conversation)
    reply = await llm.complete(prompt)
    return {"reply": reply}
