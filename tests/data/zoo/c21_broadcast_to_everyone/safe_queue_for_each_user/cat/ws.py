from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, WebSocket

from .looking_glass import Assistant

app = FastAPI()
assistant = Assistant()


@app.websocket("/ws")
async def ws(socket: WebSocket, user: User = Depends(current_user)):
    await socket.accept()
    while True:
        await socket.send_text(await assistant.next_message(user.id))


@app.post("/upload")
async def upload(text: str = Body(embed=True), user: User = Depends(current_user)):
    await assistant.notify(user.id, f"I have read: {text}")
