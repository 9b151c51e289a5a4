"""Tests of carrel.migrate.signatures."""

from __future__ import annotations

import ast

import pytest

from carrel.migrate.signatures import read_signature, signature_of


def test_defaults_are_source_text():
    parameters = read_signature("(a, /, b, *, c='x', **rest)").parameters
    assert [(one.name, one.kind.name) for one in parameters.values()] == [
        ("a", "POSITIONAL_ONLY"),
        ("b", "POSITIONAL_OR_KEYWORD"),
        ("c", "KEYWORD_ONLY"),
        ("rest", "VAR_KEYWORD"),
    ]
    assert parameters["c"].default == "'x'"


def test_calls_are_bound_to_it():
    bound = read_signature("(registry, bridge, context=None)").bind("r", context="c", bridge="b")
    assert dict(bound.arguments) == {"registry": "r", "bridge": "b", "context": "c"}


@pytest.mark.parametrize("text", ["", "a, b", "(a", "(a): pass\ndef g()", "(a=1, b)", "() -> int: ...\nx = (1)"])
def test_what_is_no_parameter_list_is_refused(text: str):
    with pytest.raises(ValueError, match="is no parameter list"):
        read_signature(text)


def test_a_method_is_called_without_self():
    function = ast.parse("def __init__(self, a, b=1): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert str(signature_of(function, bound=True)) == "(a, b='1')"
