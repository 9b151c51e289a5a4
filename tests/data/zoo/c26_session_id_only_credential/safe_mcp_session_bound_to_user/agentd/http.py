from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, Header, HTTPException, Response

from .sessions import Sessions

app = FastAPI()
sessions = Sessions()


@app.post("/initialize")
async def initialize(response: Response, user: User = Depends(current_user)):
    response.headers["Mcp-Session-Id"] = sessions.open(user.id).id


@app.post("/message")
async def message(
    text: str = Body(embed=True), mcp_session_id: str = Header(), user: User = Depends(current_user)
):
    session = sessions.find(mcp_session_id)
    if session is None or session.owner != user.id:
        raise HTTPException(404)
    session.notes.append(text)
    return {"notes": session.notes}
