"""Tests of carrel.migrate.instances."""

from __future__ import annotations

import pytest

from carrel.migrate.instances import attribute_sites
from carrel.migrate.leads import Leads
from carrel.migrate.nodes import sort_nodes
from tests.migrate.reading import NAMES, module

BEFORE = "from typing import Optional\nfrom a import Engine\n"


def found(text: str) -> list[tuple[str, bool]]:
    read = module(BEFORE + text)
    sites = list(attribute_sites(read, sort_nodes(read), NAMES, frozenset({"stop"}), Leads(read)))
    assert all(one.text == "stop" for one in sites)
    return [(one.targets[0], bool(one.mixed)) for one in sites]


@pytest.mark.parametrize(
    "text",
    [
        "Engine.stop",
        "Engine().stop()",
        "e = Engine()\ne.stop()",
        "e = None\ne = Engine()\ne.stop()",
        "def f(e: Engine): e.stop()",
        "def f(e: 'Engine'): e.stop()",
        "def f(e: Optional[Engine] = None): e.stop()",
        "def f(e: None | Engine): e.stop()",
        "e: Engine = make()\ne.stop()",
        "with Engine() as e:\n    e.stop()",
        "if (e := Engine()):\n    e.stop()",
        "class A:\n    def __init__(self): self.e = Engine()\n    def f(self): self.e.stop()",
        "class A:\n    def __init__(self, e): self.e: Engine = e\n    def f(self): (\n  self\n .e\n .stop)",
        "class A:\n    def __init__(self, e: Engine): self.e = e\n    def f(self): self.e.stop()",
        "class A(Engine):\n    def f(self): self.stop()",
    ],
)
def test_an_instance_is_known(text: str):
    assert found(text) == [("a.Engine.stop", False)]


@pytest.mark.parametrize(
    "text",
    [
        "e = Engine() if x else None\ne.stop()",
        "def f(e): e.stop()",
        "def f(e: 'not an annotation'): e.stop()",
        "def f(e: list[Engine]): e.stop()",
        "def f(e: Engine | str): e.stop()",
        "async def f():\n    e = await Engine()\n    e.stop()",
        "e.stop()",
        "make().stop()",
        "self.e.stop()",
        "for e in Engine(): e.stop()",
        "class A:\n    def f(self): self.e.stop()",
        "class A:\n    def stop(self): ...\nA().stop()",
    ],
)
def test_what_is_not_surely_one_is_left_alone(text: str):
    assert found(text) == []


def test_what_may_be_something_else_is_told():
    assert found("e = Engine()\ne = other()\ne.stop()") == [("a.Engine.stop", True)]
    assert found("class A(Engine):\n    async def stop(self): ...") == [("a.Engine.stop", True)]
