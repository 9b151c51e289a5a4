"""The tools as agents and models see them."""

from __future__ import annotations

from carrel.optimizer.tools import READ_USAGE
from carrel.runtime.tools import Tool


async def test_every_tool_needs_the_permission_and_says_what_it_does(tools: tuple[Tool, ...]) -> None:
    assert [tool.name for tool in tools] == [
        *("usage_overview", "usage_breakdown", "usage_change", "usage_savings", "usage_move"),
    ]
    assert {tool.permission for tool in tools} == {READ_USAGE}
    assert all(tool.description for tool in tools)


async def test_a_user_cannot_be_named_in_the_arguments(tools: tuple[Tool, ...]) -> None:
    for tool in tools:
        properties = tool.parameters["properties"]
        assert not {name for name in properties if "user" in name or "context" in name}


async def test_arguments_are_typed(tools: tuple[Tool, ...]) -> None:
    by_name = {tool.name: tool.parameters for tool in tools}
    assert by_name["usage_breakdown"]["properties"]["by"]["enum"] == ["model", "day", "tag", "token_kind"]
    assert by_name["usage_breakdown"]["required"] == ["by"]
    assert by_name["usage_move"]["required"] == ["from_model", "to_model"]
    assert "all" in by_name["usage_savings"]["properties"]["strategy"]["enum"]
