from .db import act_as, pool


async def my_notes(user_id: str) -> list[str]:
    async with pool.connection() as connection:
        await act_as(connection, user_id)
        rows = await connection.execute("SELECT text FROM notes")
        return [text for (text,) in await rows.fetchall()]


async def public_notes() -> list[str]:
    async with pool.connection() as connection:
        rows = await connection.execute("SELECT text FROM notes")
        return [text for (text,) in await rows.fetchall()]
