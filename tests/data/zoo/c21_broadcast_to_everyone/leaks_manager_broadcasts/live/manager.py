from fastapi import WebSocket


class ConnectionManager:
    def __init__(self):
        self.active: list[tuple[str, WebSocket]] = []

    async def connect(self, user_id: str, socket: WebSocket) -> None:
        await socket.accept()
        self.active.append((user_id, socket))

    def disconnect(self, socket: WebSocket) -> None:
        self.active = [entry for entry in self.active if entry[1] is not socket]

    async def broadcast(self, message: dict) -> None:
        for _, socket in self.active:
            await socket.send_json(message)


manager = ConnectionManager()
