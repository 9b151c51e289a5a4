"""Tests of carrel.migrate.uses."""

from __future__ import annotations

from carrel.migrate.leads import Leads
from carrel.migrate.nodes import sort_nodes
from carrel.migrate.uses import import_sites, use_sites
from tests.migrate.reading import NAMES, module, shown

TEXT = """
from .engine import Engine as E, Other
from somewhere.Engine import x
from pkg.engine import \\
    *
import pkg.engine
def f(a: E, b: "pkg.engine.Engine", c: '''
    E''') -> None:
    E(), Engine, pkg.engine.Engine.x
"""


def test_imports_of_a_name_or_a_module_of_that_name_are_sites():
    read = module(TEXT)
    assert shown(list(import_sites(read, sort_nodes(read), NAMES))) == [
        (2, "import", "Engine as E", ("pkg.engine.Engine",)),
        (3, "import", "somewhere.Engine", ("somewhere.Engine",)),
    ]


def test_uses_are_sites_by_their_roles():
    read = module(TEXT)
    sites = sorted(use_sites(read, sort_nodes(read), NAMES, Leads(read)), key=lambda one: one.start)
    target = ("pkg.engine.Engine",)
    assert [(line, kind, found) for line, kind, _, found in shown(sites)] == [
        (5, "import", target),
        (7, "annotation", target),
        (7, "string_annotation", target),
        (7, "string_annotation", target),
        (9, "call", target),
        (9, "name", target),
        (9, "name", target),
    ]
    assert [one.text for one in sites[4:]] == ["E", "Engine", "pkg.engine.Engine"]
    assert [bool(one.doubt) for one in sites] == [False, False, False, True, False, False, False]
    assert sites[3].text.startswith("'''")
    assert [one.star for one in sites] == [True, False, False, False, False, True, False]
