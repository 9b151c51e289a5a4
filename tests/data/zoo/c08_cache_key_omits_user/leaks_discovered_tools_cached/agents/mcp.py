"""The tools that MCP servers offer; asking them takes seconds, so the answer is kept."""

import time

import outside

MAILBOXES: dict[str, str] = {}
TTL = 300.0

_cached_tools: list | None = None
_cached_at = 0.0


def _mail_tool(token: str):
    def read_mail() -> str:
        return MAILBOXES.get(token, "")

    return read_mail


async def _discover(token: str) -> list:
    await outside.call()
    return [_mail_tool(token)]


async def get_mcp_tools(user_id: str, token: str) -> list:
    global _cached_tools, _cached_at
    if _cached_tools is None or time.monotonic() - _cached_at > TTL:
        _cached_tools = await _discover(token)
        _cached_at = time.monotonic()
    return _cached_tools
