"""Stands in for psycopg's pool: a block is a transaction, and the session's settings outlive it."""

from contextlib import asynccontextmanager

from postgres import Session


class _Cursor:
    def __init__(self, rows):
        self._rows = rows

    async def fetchall(self):
        return [(row["text"],) for row in self._rows]

    async def fetchone(self):
        return (self._rows[0]["text"],) if self._rows else None


class AsyncConnection:
    def __init__(self):
        self.session = Session()

    async def execute(self, query, params=()):
        self.session.execute(query, params)
        return _Cursor(await self.session.fetch(query) if " FROM " in query else [])


class AsyncConnectionPool:
    def __init__(self, conninfo, min_size=1, max_size=4, open=True):
        self._free = []

    @asynccontextmanager
    async def connection(self):
        connection = self._free.pop() if self._free else AsyncConnection()
        connection.session.local = {}
        try:
            yield connection
        finally:
            connection.session.local = None
            self._free.append(connection)
