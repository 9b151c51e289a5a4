"""Who hands on only what is for one user."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.sifting import is_sifted
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("if event['owner'] == user.id:\n            yield event", True),
        ("if await self.is_visible(event):\n            yield event", True),
        ("if event['owner'] != user.id:\n            continue\n        await socket.send_json(event)", True),
        ("if admin:\n            yield event\n        if mine(event, user):\n            yield event", True),
        ("yield event", False),
        ("if event['kind'] != 'ping':\n            yield event", False),
        ("if event is None:\n            continue\n        await socket.send_json(event)", False),
        ("if event['owner'] == user.id:\n            yield event\n        yield event", False),
        ("count += 1", False),
    ],
)
def test_a_loop_that_looks_for_whom_each_is(body: str, *, found: bool) -> None:
    seen = view(
        f"async def events(self, socket, user, admin):\n    async for event in self.bus.listen():\n        {body}\n"
    )
    (function,) = seen.functions
    call = next(one for one in function.nodes(ast.Call) if ast.unparse(one.func) == "self.bus.listen")
    assert is_sifted(seen, call, function) is found


def test_a_call_that_nothing_goes_through() -> None:
    seen = view("def events(self, user):\n    all = self.bus.listen()\n    return all if user.is_admin else []\n")
    (function,) = seen.functions
    assert not is_sifted(seen, next(function.nodes(ast.Call)), function)


@pytest.mark.parametrize(("test", "found"), [("owner != user.id", True), ("kind == 'ping'", False)])
def test_a_queue_of_which_the_loop_leaves_what_is_not_for_its_user(test: str, *, found: bool) -> None:
    seen = view(
        "async def events(user):\n    queue = bus.reader()\n    async def lines():\n        while True:\n"
        f"            owner, kind = await queue.get()\n            if {test}:\n                continue\n"
        "            yield kind\n    return lines()\n"
    )
    function = next(one for one in seen.functions if one.name == "events")
    call = next(one for one in function.nodes(ast.Call) if ast.unparse(one.func) == "bus.reader")
    assert is_sifted(seen, call, function) is found
