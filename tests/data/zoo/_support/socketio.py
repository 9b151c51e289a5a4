"""Stands in for python-socketio's server: rooms, and what each browser received."""


class AsyncServer:
    def __init__(self, async_mode="asgi"):
        self._handlers = {}
        self._rooms = {}
        self.received = {}

    def event(self, function):
        self._handlers[function.__name__] = function
        return function

    async def join(self, sid, auth):
        """A browser connects."""
        self.received[sid] = []
        await self._handlers["connect"](sid, {}, auth)

    async def enter_room(self, sid, room):
        self._rooms.setdefault(room, set()).add(sid)

    async def emit(self, event, data=None, to=None, room=None):
        target = to or room
        for sid in [target] if target in self.received else self._rooms.get(target, self.received if not target else ()):
            self.received[sid].append((event, data))
