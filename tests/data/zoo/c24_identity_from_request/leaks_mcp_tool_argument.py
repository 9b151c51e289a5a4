"""An MCP server with the tools of a calendar."""

from mcp.server.fastmcp import Context, FastMCP

mcp = FastMCP("calendar")
EVENTS: dict[str, list[str]] = {}


@mcp.tool()
async def list_events(user_id: str, ctx: Context) -> list[str]:
    """The events of a user."""
    return EVENTS.get(user_id, [])
