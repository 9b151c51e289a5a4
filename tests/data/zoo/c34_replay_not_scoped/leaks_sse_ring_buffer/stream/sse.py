from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, Header
from fastapi.responses import StreamingResponse

from .buffer import ReplayBuffer

app = FastAPI()
buffer = ReplayBuffer()


@app.post("/say")
async def say(text: str = Body(embed=True), user: User = Depends(current_user)):
    return {"id": buffer.add(user.id, text)}


@app.get("/events")
async def events(last_event_id: int = Header(0), user: User = Depends(current_user)):
    async def replay():
        for number, data in buffer.after(user.id, last_event_id):
            yield f"id: {number}\ndata: {data}\n\n"

    return StreamingResponse(replay(), media_type="text/event-stream")
