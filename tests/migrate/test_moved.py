"""Tests of carrel.migrate.moved."""

from __future__ import annotations

import pytest

from carrel.migrate.moved import Moved
from tests.migrate.tree import PACKAGE, recipe
from tests.source.code import project

FILES = {
    **PACKAGE,
    "pkg/api.py": "from .engine import Engine\nfrom .engine import Engine as Motor\nfrom . import engine as e\n",
    "pkg/either.py": "if x:\n    from .engine import Engine\nelse:\n    from .decoy import Engine\n",
    "pkg/fallback.py": "try:\n    from .engine import Engine\nexcept ImportError:\n    Engine = None\n",
}


@pytest.mark.parametrize(
    ("dotted", "resolved", "via"),
    [
        ("pkg.engine.Engine", "pkg.engine.Engine", ()),
        ("pkg.engine.Engine.run", "pkg.engine.Engine.run", ()),
        ("pkg.api.Motor.run", "pkg.engine.Engine.run", ("pkg.api",)),
        ("pkg.api.e.Engine", "pkg.engine.Engine", ("pkg.api",)),
        ("pkg.fallback.Engine", "pkg.engine.Engine", ("pkg.fallback",)),
    ],
)
def test_a_name_that_leads_to_what_moves_matches(dotted: str, resolved: str, via: tuple[str, ...]):
    found = Moved(recipe(), project(FILES)).match(dotted)
    assert found is not None
    assert (found.resolved_to, found.via, found.mixed) == (resolved, via, "")


@pytest.mark.parametrize(
    "dotted", ["pkg.decoy.Engine", "pkg.engine.Other", "pkg.engine", "pkg.EngineX", "other.Engine"]
)
def test_a_name_that_leads_elsewhere_does_not(dotted: str):
    assert Moved(recipe(), project(FILES)).match(dotted) is None


def test_a_name_that_leads_to_both_is_mixed():
    found = Moved(recipe(), project(FILES)).match("pkg.either.Engine")
    assert found is not None
    assert found.mixed == "it may be `pkg.decoy.Engine`, too"


def test_further_names_are_told_with_their_modules():
    moved = Moved(recipe(), project(FILES))
    assert list(moved.other_names(["pkg/api.py", "pkg/decoy.py"], frozenset({"Engine"}))) == [("Motor", "api")]


def test_an_old_name_that_is_a_re_export_stands_for_the_definition():
    files = {**PACKAGE, "pkg/__init__.py": "from .engine import Engine\n"}
    moved = Moved(recipe('[[symbols]]\nold = "pkg.Other"\nnew = "x.Y"\n'), project(files))
    assert moved.missing == ["pkg.Other"]
    assert moved.homes() == ["pkg/__init__.py", "pkg/engine.py"]
    assert moved.is_home("pkg/engine.py", "pkg.engine.Engine")
    assert not moved.is_home("pkg/api.py", "pkg.engine.Engine")
    assert not moved.is_home("pkg/api.py", "nothing")


def test_a_module_that_moves_takes_what_is_in_it():
    moved = Moved(recipe('[[modules]]\nold = "pkg.decoy"\nnew = "pkg.new"\n'), project(FILES))
    found = moved.match("pkg.decoy.Engine")
    assert found is not None
    assert (found.symbol, found.resolved_to) == ("pkg.decoy", "pkg.decoy.Engine")
    assert moved.match("pkg.engine.Other") is None
    assert moved.is_home("pkg/decoy.py", "pkg.decoy")
    missing = Moved(recipe('[[modules]]\nold = "pkg.none"\nnew = "pkg.new"\n'), project(FILES))
    assert missing.missing == ["pkg.none"]


def test_what_is_wanted_first_are_the_last_parts_of_the_names():
    files = {**PACKAGE, "pkg/__init__.py": "from .engine import Engine\n"}
    wanted = Moved(recipe('[[symbols]]\nold = "pkg.Engine"\nnew = "x.Y"\n'), project(files)).wanted()
    assert (wanted.names, wanted.modules) == (("Engine",), ("engine", "pkg"))
