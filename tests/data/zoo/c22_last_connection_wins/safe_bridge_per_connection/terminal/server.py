from acme import llm
from acme.auth import verify
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from .bridge import Bridge


class Terminal(WebSocketEndpoint):
    encoding = "text"

    async def on_connect(self, websocket: WebSocket) -> None:
        self.user = verify(websocket.headers["authorization"])
        await websocket.accept()
        self.bridge = Bridge()
        self.bridge.attach(websocket.send_text)

    async def on_receive(self, websocket: WebSocket, data: str) -> None:
        output = await llm.complete(data)
        await self.bridge.output(f"{self.user.id}$ {output}")


app = Starlette(routes=[WebSocketRoute("/terminal", Terminal)])
