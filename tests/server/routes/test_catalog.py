"""What a user may run and call."""

from __future__ import annotations

from tests.server.served import Served


async def test_agents_are_listed_the_supervisor_first(server: Served) -> None:
    ann = await server.user("ann")
    agents = (await ann.http.get("/api/v1/agents")).json()["agents"]
    assert [agent["name"] for agent in agents] == ["supervisor", "echo", "stall"]
    assert agents[1]["description"] == "Repeats what was said, louder."


async def test_tools_are_those_that_the_users_permissions_allow(server: Served) -> None:
    few, more, all_of_them = await server.user("a"), await server.user("b", "secret:read"), await server.user("c", "*")
    names = [
        [tool["name"] for tool in (await caller.http.get("/api/v1/tools")).json()["tools"]]
        for caller in (few, more, all_of_them)
    ]
    assert names == [["shout"], ["shout", "reveal"], ["shout", "reveal"]]


async def test_a_tool_comes_with_its_schema(server: Served) -> None:
    ann = await server.user("ann")
    tool = (await ann.http.get("/api/v1/tools")).json()["tools"][0]
    assert tool["parameters"]["properties"]["text"]["type"] == "string"
