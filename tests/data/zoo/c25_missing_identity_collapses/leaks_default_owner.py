"""A chat for users and for guests."""

from acme.auth import verify
from fastapi import Body, FastAPI, Header

app = FastAPI()
HISTORY: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(text: str = Body(embed=True), authorization: str | None = Header(None)):
    user = verify(authorization)
    owner = user.id if user else "default"
    HISTORY.setdefault(owner, []).append(text)
    return {"history": HISTORY[owner]}
