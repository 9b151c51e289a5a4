from .pool import Pool


class Client:
    def __init__(self):
        self.pool = Pool()

    async def execute(self, *command: str) -> str:
        async with self.pool.connection() as connection:
            await connection.send(" ".join(command))
            return await connection.read_reply()

    async def get(self, key: str) -> str:
        return await self.execute("GET", key)

    async def set(self, key: str, value: str) -> str:
        return await self.execute("SET", key, value)


client = Client()
