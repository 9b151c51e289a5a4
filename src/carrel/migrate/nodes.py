"""The nodes of one file that a search looks at, sorted out in one pass."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from carrel.source import Module

__all__ = ["Nodes", "sort_nodes"]


@dataclass(slots=True)
class Nodes:
    """Nodes by type."""

    attributes: list[ast.Attribute] = field(default_factory=list)
    strings: list[ast.Constant] = field(default_factory=list)
    keywords: list[ast.keyword] = field(default_factory=list)
    imports: list[ast.ImportFrom] = field(default_factory=list)
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=list)


def sort_nodes(module: Module) -> Nodes:
    """The nodes of a module."""
    nodes = Nodes()
    lists: dict[type[ast.AST], list[Any]] = {
        ast.Attribute: nodes.attributes,
        ast.Constant: nodes.strings,
        ast.keyword: nodes.keywords,
        ast.ImportFrom: nodes.imports,
        ast.FunctionDef: nodes.functions,
        ast.AsyncFunctionDef: nodes.functions,
    }
    for node in module.scopes.parents:
        found = lists.get(type(node))
        if found is not None and not (isinstance(node, ast.Constant) and not isinstance(node.value, str)):
            found.append(node)
    return nodes
