from acme import llm
from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, WebSocket, WebSocketDisconnect

from .manager import manager

app = FastAPI()


@app.websocket("/live")
async def live(socket: WebSocket, user: User = Depends(current_user)):
    await manager.connect(user.id, socket)
    try:
        while True:
            await socket.receive_text()
            await socket.send_text("pong")
    except WebSocketDisconnect:
        manager.disconnect(socket)


@app.post("/research")
async def research(topic: str = Body(embed=True), user: User = Depends(current_user)):
    found = await llm.complete(topic)
    await manager.send_to(user.id, {"type": "progress", "found": found})
    return {"started": True}
