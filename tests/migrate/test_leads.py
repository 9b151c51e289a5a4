"""Tests of carrel.migrate.leads."""

from __future__ import annotations

import ast

import pytest

from carrel.migrate.leads import Leads, is_fallback
from tests.migrate.reading import module


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("from a.b import C\nC", ("a.b.C",)),
        ("from .b import C as D\nD.e", ("pkg.b.C.e",)),
        ("import a.b\na.b.C", ("a.b.C",)),
        ("import a.b as m\nm.C", ("a.b.C",)),
        ("import a.b\nm = a.b\nm.C", ("a.b.C",)),
        ("from a import *\nC", ("a.C",)),
        ("from importlib import import_module\nm = import_module('a.b')\nm.C", ("a.b.C",)),
        ("try:\n    from a import C\nexcept ImportError:\n    from b import C\nC", ("a.C", "b.C")),
        ("x = 1\nx", ()),
        ("C", ()),
        ("f().C", ()),
        ("x = x\nx", ()),
        ("from a import C\nfor C.x in y: ...\nC", ("a.C",)),
    ],
)
def test_an_expression_leads_to_what_is_imported(text: str, targets: tuple[str, ...]):
    read = module(text)
    last = read.tree.body[-1]
    assert isinstance(last, ast.Expr)
    assert Leads(read).of(last.value).targets == targets


def test_an_assignment_between_is_known():
    read = module("from a import C\nD = C\nD\nE, F = C, 1\nE")
    leads = Leads(read)
    assert leads.of_name("D", read.scope).aliased
    assert not leads.of_name("C", read.scope).aliased
    assert leads.of_name("E", read.scope).targets == ()


def test_another_binding_is_told_with_its_line():
    read = module("from a import C\nfor C in y: ...\n")
    assert Leads(read).of_name("C", read.scope).mixed == "`C` is also bound in line 2 (loop)"
    read = module("from a import C\nC: int\nC += 1\ndel C\n")
    assert Leads(read).of_name("C", read.scope).mixed == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C = None", True),
        ("try: ...\nexcept ImportError:\n    C = object", True),
        ("try: ...\nexcept ImportError:\n    class C: ...", True),
        ("try: ...\nexcept ImportError:\n    def C(): ...", True),
        ("C = object", False),
        ("class C: ...", False),
        ("for C in (): ...", False),
    ],
)
def test_what_stands_in_for_an_import_is_a_fallback(text: str, expected: bool):
    read = module(text)
    assert is_fallback(read, read.scope.bindings["C"][0]) is expected
