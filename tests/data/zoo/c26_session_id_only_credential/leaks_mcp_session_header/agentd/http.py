from fastapi import Body, FastAPI, Header, HTTPException, Response

from .sessions import Sessions

app = FastAPI()
sessions = Sessions()


@app.post("/initialize")
async def initialize(response: Response):
    response.headers["Mcp-Session-Id"] = sessions.open().id


@app.post("/message")
async def message(text: str = Body(embed=True), mcp_session_id: str = Header()):
    session = sessions.find(mcp_session_id)
    if session is None:
        raise HTTPException(404)
    session.notes.append(text)
    return {"notes": session.notes}
