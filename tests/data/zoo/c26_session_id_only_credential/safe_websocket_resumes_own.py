"""A shell in the browser that survives a reload: `?session=` names the one to go on with."""

import secrets
from dataclasses import dataclass, field

from acme.auth import User, current_user
from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


@dataclass
class Shell:
    owner: User
    screen: list[str] = field(default_factory=list)


SHELLS: dict[str, Shell] = {}


def attach(session: str, user: User) -> tuple[str, Shell]:
    shell = SHELLS.get(session)
    if shell is None or shell.owner != user:
        session, shell = secrets.token_hex(8), Shell(user)
        SHELLS[session] = shell
    return session, shell


@app.websocket("/shell")
async def shell(socket: WebSocket, session: str = "", user: User = Depends(current_user)):
    await socket.accept()
    session, attached = attach(session, user)
    await socket.send_json({"session": session, "screen": attached.screen})
    try:
        while True:
            attached.screen.append(await socket.receive_text())
    except WebSocketDisconnect:
        pass
