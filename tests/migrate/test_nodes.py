"""Tests of carrel.migrate.nodes."""

from __future__ import annotations

from carrel.migrate.nodes import sort_nodes
from tests.migrate.reading import module


def test_nodes_are_sorted_by_type():
    nodes = sort_nodes(module("from a import b\nasync def f():\n    b.c(d='x', e=1)\n"))
    assert [one.attr for one in nodes.attributes] == ["c"]
    assert [one.value for one in nodes.strings] == ["x"]
    assert {one.arg for one in nodes.keywords} == {"d", "e"}
    assert [one.module for one in nodes.imports] == ["a"]
    assert [one.name for one in nodes.functions] == ["f"]
