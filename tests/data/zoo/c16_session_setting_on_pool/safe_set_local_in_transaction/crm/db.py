from psycopg_pool import AsyncConnectionPool

pool = AsyncConnectionPool("postgresql://crm@db/crm", min_size=1, max_size=1, open=False)


async def act_as(connection, user_id: str) -> None:
    """Row-level security reads `app.user_id`."""
    await connection.execute("SELECT set_config('app.user_id', %s, true)", (user_id,))
