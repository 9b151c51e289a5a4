from .mcp import get_mcp_tools


async def run(user_id: str, token: str) -> str:
    (read_mail,) = await get_mcp_tools(user_id, token)
    return f"You have mail: {read_mail()}"
