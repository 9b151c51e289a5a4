"""Chat history by user."""

from acme.auth import User, current_user
from fastapi import Depends, FastAPI
from pydantic import BaseModel

app = FastAPI()
HISTORY: dict[str, list[str]] = {}


class Turn(BaseModel):
    user_id: str
    text: str


@app.post("/turns")
async def add(turn: Turn, user: User = Depends(current_user)):
    history = HISTORY.setdefault(turn.user_id, [])
    history.append(turn.text)
    return {"history": history}
