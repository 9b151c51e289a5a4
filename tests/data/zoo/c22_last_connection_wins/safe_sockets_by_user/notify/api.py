from acme import llm
from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, WebSocket, WebSocketDisconnect

from . import state

app = FastAPI()


@app.websocket("/ws")
async def ws(socket: WebSocket, user: User = Depends(current_user)):
    await socket.accept()
    state.sockets[user.id] = socket
    try:
        while True:
            await socket.receive_text()
            await socket.send_text("pong")
    except WebSocketDisconnect:
        state.sockets.pop(user.id, None)


@app.post("/ask")
async def ask(text: str = Body(embed=True), user: User = Depends(current_user)):
    answer = await llm.complete(text)
    if user.id in state.sockets:
        await state.sockets[user.id].send_text(answer)
