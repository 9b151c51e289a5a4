"""The tools that MCP servers offer; asking them takes seconds, so the answer is kept."""

import time

import outside

MAILBOXES: dict[str, str] = {}
TTL = 300.0

_cached_tools: dict[str, list] = {}
_cached_at: dict[str, float] = {}


def _mail_tool(token: str):
    def read_mail() -> str:
        return MAILBOXES.get(token, "")

    return read_mail


async def _discover(token: str) -> list:
    await outside.call()
    return [_mail_tool(token)]


async def get_mcp_tools(user_id: str, token: str) -> list:
    if user_id not in _cached_tools or time.monotonic() - _cached_at[user_id] > TTL:
        _cached_tools[user_id] = await _discover(token)
        _cached_at[user_id] = time.monotonic()
    return _cached_tools[user_id]
