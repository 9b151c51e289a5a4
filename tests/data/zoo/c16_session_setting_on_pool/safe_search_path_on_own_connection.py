"""One schema per tenant; `search_path` says which."""

from contextlib import asynccontextmanager

import asyncpg
from acme import llm

pool = asyncpg.create_pool("postgresql://app@db/app", min_size=1, max_size=4)


class Database:
    def __init__(self):
        self._connection = None

    @asynccontextmanager
    async def tenant(self, schema: str):
        async with pool.acquire() as connection:
            await connection.execute(f'SET search_path TO "{schema}"')
            try:
                yield connection
            finally:
                await connection.execute("RESET search_path")


database = Database()


async def describe(schema: str) -> str:
    async with database.tenant(schema) as connection:
        heading = await llm.complete("a heading")
        row = await connection.fetchrow("SELECT text FROM about")
    return f"{heading}: {row['text']}"
