from acme.auth import User, current_user
from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect

from .upstream import Upstream

app = FastAPI()
upstream = Upstream()


@app.websocket("/ws")
async def ws(socket: WebSocket, user: User = Depends(current_user)):
    await socket.accept()
    try:
        while True:
            message = await socket.receive_json()
            await socket.send_json(await upstream.request(message))
    except WebSocketDisconnect:
        pass
