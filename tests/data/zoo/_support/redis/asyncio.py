"""Stands in for redis.asyncio: strings, lists and hashes in this process."""

import outside

_databases = {}


def _bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


class Redis:
    def __init__(self, host="localhost", port=6379, db=0, decode_responses=False):
        self._data = _databases.setdefault((host, port, db), {})
        self._decode = decode_responses

    @classmethod
    def from_url(cls, url, decode_responses=False):
        return cls(host=url, decode_responses=decode_responses)

    def _out(self, value):
        return value.decode() if self._decode and value is not None else value

    async def get(self, key):
        await outside.call()
        return self._out(self._data.get(key))

    async def set(self, key, value, ex=None, nx=False):
        if nx and key in self._data:
            return None
        self._data[key] = _bytes(value)
        return True

    async def setex(self, key, seconds, value):
        return await self.set(key, value)

    async def delete(self, *keys):
        return sum(self._data.pop(key, None) is not None for key in keys)

    async def rpush(self, key, *values):
        self._data.setdefault(key, []).extend(map(_bytes, values))

    async def lrange(self, key, start, stop):
        rows = self._data.get(key, [])
        return [self._out(row) for row in rows[start : None if stop == -1 else stop + 1]]

    async def hset(self, key, field, value):
        self._data.setdefault(key, {})[field] = _bytes(value)

    async def hget(self, key, field):
        return self._out(self._data.get(key, {}).get(field))

    async def hgetall(self, key):
        return {field: self._out(value) for field, value in self._data.get(key, {}).items()}
