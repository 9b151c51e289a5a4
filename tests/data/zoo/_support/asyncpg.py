"""Stands in for asyncpg, which resets a session's settings when a connection is released to its pool."""

from contextlib import asynccontextmanager

from postgres import Session


class Connection:
    def __init__(self):
        self._session = Session()

    async def execute(self, query, *args):
        self._session.execute(query, args)

    @asynccontextmanager
    async def transaction(self):
        self._session.local = {}
        try:
            yield
        finally:
            self._session.local = None

    async def fetch(self, query, *args):
        return await self._session.fetch(query)

    async def fetchrow(self, query, *args):
        rows = await self.fetch(query, *args)
        return rows[0] if rows else None


class _Acquired:
    def __init__(self, pool):
        self._pool = pool

    def __await__(self):
        return self._take().__await__()

    async def _take(self):
        return self._pool.free.pop() if self._pool.free else Connection()

    async def __aenter__(self):
        self._connection = await self._take()
        return self._connection

    async def __aexit__(self, *exception):
        await self._pool.release(self._connection)


class Pool:
    def __init__(self):
        self.free = []

    def acquire(self):
        return _Acquired(self)

    async def release(self, connection):
        await connection.execute("RESET ALL")
        self.free.append(connection)


def create_pool(dsn, min_size=1, max_size=10):
    return Pool()
