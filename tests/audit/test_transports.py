"""How tools are served."""

from __future__ import annotations

import pytest

from carrel.audit.transports import transports
from tests.audit.checking import program, view

TOOLS = """from fastmcp import FastMCP
mcp = FastMCP("desk")
SEEN = []
@mcp.tool()
def say(text): keep(text)
def keep(text): SEEN.append(text)
"""


@pytest.mark.parametrize(
    ("call", "ways"),
    [
        ("mcp.run()", ("pipe",)),
        ("mcp.run(transport='stdio')", ("pipe",)),
        ("mcp.run(port=1)", ("pipe",)),
        ("mcp.run('stdio')", ("pipe",)),
        ("mcp.run(transport='http', port=1)", ("network",)),
        ("mcp.run(transport=args.transport)", ("network",)),
        ("mcp.run(**options)", ("network",)),
        ("app = mcp.http_app()", ("network",)),
        ("async def main():\n  async with stdio_server() as (r, w): ...", ("pipe",)),
        ("mcp.run()\nmcp.sse_app()", ("network", "pipe")),
        ("worker.run()", ()),
        ("run(mcp)", ()),
    ],
)
def test_the_ways(call: str, ways: tuple[str, ...]) -> None:
    assert transports(view(TOOLS + call)) == ways


@pytest.mark.parametrize(
    ("more", "apart"),
    [
        ("mcp.run()\n", True),
        ("mcp.run(transport='http')\n", False),
        ("", False),
        ("mcp.run()\n@app.get('/x')\ndef x(text): keep(text)\n", False),
    ],
)
def test_a_process_for_each_client(more: str, *, apart: bool) -> None:
    assert program(TOOLS + more).calls.is_apart("app.keep") is apart
