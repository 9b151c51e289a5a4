"""A line protocol in which replies carry no id: the next reply belongs to the oldest command."""

from collections import deque

import outside

_stored = {}


class Connection:
    def __init__(self):
        self._replies = deque()
        self.closed = False

    async def send(self, line):
        if self.closed:
            raise ConnectionError("closed")
        verb, key, *rest = line.split(" ", 2)
        if verb == "SET":
            _stored[key] = rest[0]
            self._replies.append("OK")
        else:
            self._replies.append(_stored.get(key, ""))

    async def read_reply(self):
        await outside.call()
        return self._replies.popleft()

    def close(self):
        self.closed = True


async def connect(url):
    return Connection()
