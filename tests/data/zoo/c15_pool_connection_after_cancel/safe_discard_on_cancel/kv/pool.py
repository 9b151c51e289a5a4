from collections import deque
from contextlib import asynccontextmanager

from wire import Connection, connect


class Pool:
    """Keeps connections for the next caller."""

    def __init__(self):
        self._free: deque[Connection] = deque()

    @asynccontextmanager
    async def connection(self):
        connection = self._free.popleft() if self._free else await connect("kv://cache")
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        else:
            self._free.append(connection)
