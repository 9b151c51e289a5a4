"""Which expressions are the connections of everybody."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.conditions import Condition, SharedClass
from carrel.audit.connections import alive, everybody
from tests.audit.checking import view

HEAD = (
    "from itertools import chain\nsockets = set()\nclass Desk:\n    def __init__(self):\n        self.clients = {}\n"
    "    async def tell(self, app, room):\n        for one in "
)


def _iterated(text: str) -> tuple[Condition, ...] | None:
    seen = view(f"{HEAD}{text}:\n            await one.send(room)\n")
    function = seen.functions[-1]
    loop = next(function.nodes(ast.For))
    return everybody(seen, loop.iter, function)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("sockets", ()),
        ("list(sockets)", ()),
        ("chain.from_iterable(self.clients.values())", (SharedClass("app.Desk"),)),
        ("chain(*self.clients.values())", (SharedClass("app.Desk"),)),
        ("app.state.clients.values()", ()),
        ("app['clients']", ()),
        ("self.clients[room]", None),
        ("app.state.rooms", None),
        ("room.clients", None),
        ("ask(sockets)", None),
    ],
)
def test_the_connections_of_everybody(text: str, given: tuple[Condition, ...] | None) -> None:
    assert _iterated(text) == given


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[one for one in all]", True),
        ("[one for one in all if not one.closed]", True),
        ("[one for one in all if one.user == user]", False),
    ],
)
def test_a_choice_of_those_that_are_open(text: str, *, found: bool) -> None:
    many = ast.parse(text, mode="eval").body
    assert isinstance(many, ast.ListComp)
    assert alive(many) is found
