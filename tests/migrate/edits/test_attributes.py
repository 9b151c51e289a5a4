"""Tests of carrel.migrate.edits.attributes."""

from __future__ import annotations

import pytest

from tests.migrate.edits.changing import changed, recipe, unchanged

USED = recipe('[[attributes]]\nsymbol = "pkg.old.Old"\nrename = { shut = "close" }\n')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = Old(r, b)\nx.shut()\n", "x = New(r, b)\nx.close()\n"),
        ("Old(r, b).shut()\n", "New(r, b).close()\n"),
        ("def f(x: Old):\n    x.shut()\n", "def f(x: New):\n    x.close()\n"),
        ("Old.shut\n", "New.close\n"),
    ],
)
def test_a_renamed_method_of_the_class_gets_its_new_name(before, after):
    changed("from pkg.old import Old\n" + before, "from pkg.new import New\n" + after, USED)


@pytest.mark.parametrize("line", ["y.shut()", "def f(x): x.shut()", "shut()", "z = {}; z.shut", "'shut'"])
def test_the_same_name_elsewhere_stays(line):
    changed(f"from pkg.old import Old\n{line}\n", f"from pkg.new import New\n{line}\n", USED)


def test_a_method_of_another_class_stays():
    unchanged("from pkg.old import Other\nx = Other()\nx.shut()\n", USED)
