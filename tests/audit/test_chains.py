"""Roots and names of attribute chains."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.chains import chain_names, chain_root


@pytest.mark.parametrize(
    ("source", "root", "names"),
    [
        ("user", "user", ("user",)),
        ("request.state.user", "request", ("request", "state", "user")),
        ("load(token).user", "load(token)", ("", "user")),
        ("users[0].name", "users[0]", ("", "name")),
        ("3", "3", ("",)),
    ],
)
def test_a_chain_has_a_root_and_names(source: str, root: str, names: tuple[str, ...]) -> None:
    node = ast.parse(source, mode="eval").body
    assert ast.unparse(chain_root(node)) == root
    assert chain_names(node) == names
