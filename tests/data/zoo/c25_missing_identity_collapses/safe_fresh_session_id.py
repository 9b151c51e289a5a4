"""A chat without accounts: the browser keeps a session id."""

import secrets

from fastapi import Body, FastAPI, Header, Response

app = FastAPI()
SESSIONS: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(response: Response, text: str = Body(embed=True), x_session_id: str | None = Header(None)):
    session_id = x_session_id if x_session_id in SESSIONS else secrets.token_urlsafe()
    SESSIONS.setdefault(session_id, []).append(text)
    response.headers["X-Session-Id"] = session_id
    return {"history": SESSIONS[session_id]}
