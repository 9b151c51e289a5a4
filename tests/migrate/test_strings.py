"""Tests of carrel.migrate.strings."""

from __future__ import annotations

import pytest

from carrel.migrate.leads import Leads
from carrel.migrate.nodes import sort_nodes
from carrel.migrate.strings import string_sites
from tests.migrate.reading import NAMES, module


@pytest.mark.parametrize(
    ("text", "found", "certain"),
    [
        ("patch('a.Engine')", "a.Engine", True),
        ('mock.patch("""a.Engine""")', "a.Engine", True),
        ("patch(r'a.Engine.run')", "a.Engine.run", True),
        ("patch('a.' 'Engine')", "'a.' 'Engine'", False),
        ("patch('a.\\x45ngine')", "'a.\\x45ngine'", False),
        ("patch(b'a.Engine')", None, False),
        ("x = 'a.Engine'", "a.Engine", False),
        ("load('a:Engine')", "a:Engine", False),
        ("x = 'see a.Engine'", None, False),
        ("x = 'a.UserEngine'", None, False),
        ("f'a.Engine'", None, False),
        ("import a\npatch.object(a, 'Engine')", "Engine", True),
        ("import a\nhasattr(a, 'Engine')", "Engine", True),
        ("import a\nother(a, 'Engine')", None, False),
        ("patch.object(a, 'Engine')", None, False),
        ("from a import Engine\n__all__ += ['Engine']", "Engine", True),
        ("from a import Engine\n__all__.extend(('Engine',))", "Engine", True),
        ("from a import Engine\n__all__: list = [*x, 'Engine'] + y", "Engine", True),
        ("from a import Engine\nnames = ['Engine']", None, False),
        ("class Engine: ...\n__all__ = ['Engine']", None, False),
        ("patch.multiple('a', Engine=1)", "Engine", True),
        ("import a\npatch.multiple(a, Engine=1)", "Engine", True),
        ("patch.multiple(x, Engine=1)", None, False),
        ("f('a', Engine=1)", None, False),
    ],
)
def test_a_string_is_a_site_where_code_reads_it_as_a_name(text: str, found: str | None, certain: bool):
    read = module(text)
    sites = list(string_sites(read, sort_nodes(read), NAMES, Leads(read)))
    assert [one.text for one in sites] == ([] if found is None else [found])
    assert all(bool(one.doubt) is not certain for one in sites)
