"""Attribute chains: `request.state.user` is a root and the names on the way from it."""

from __future__ import annotations

import ast

__all__ = ["chain_names", "chain_root"]


def chain_root(node: ast.expr) -> ast.expr:
    """What the attributes are read from: the expression itself when it is no attribute."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def chain_names(node: ast.expr) -> tuple[str, ...]:
    """The name of the root and of each attribute; the first is empty when the root is no name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    names.append(node.id if isinstance(node, ast.Name) else "")
    return tuple(reversed(names))
