"""Takes definitions out of a file: the statements, their shims, and their places in `__all__`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from carrel.migrate.shim_text import HEADING
from carrel.migrate.splices import Splices
from carrel.source import Module

__all__ = ["remove_symbols"]

_BLANK: Final = re.compile(rb"(?:[ \t]*(?:\r\n|\r|\n))+")


def remove_symbols(module: Module, names: Sequence[str]) -> bytes:
    """The file without the definitions of `names` at its top level; a shim's stand-in counts as one.

    Raises `ValueError` when one has no single definition there, or when the rest of the file uses it.
    """
    splices = Splices(module.text)
    spans = [_span(module, _definition(module, name)) for name in names]
    for name in names:
        line = _user(module, name, spans)
        if line:
            raise ValueError(f"{module.path}:{line}: the rest of the file uses `{name}`")
    for span in spans:
        splices.put(*_with_blank_lines(module, span), "")
    listed = [node for node in _listed(module) if node.value in names]
    for sequence in {id(module.parent(node)): module.parent(node) for node in listed}.values():
        _remove_elements(module, splices, sequence, [node for node in listed if module.parent(node) is sequence])
    _remove_from_shims(module, splices, names)
    return module.text.encode(splices.apply())


def _definition(module: Module, name: str) -> ast.stmt:
    for bound in (f"_moved_{name}", name):
        statements = [
            node
            for node in module.tree.body
            if (isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == bound)
            or (isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [bound])
            or (isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == bound)
        ]
        if len(statements) == 1:
            return statements[0]
    raise ValueError(f"{module.path}: `{name}` has no single definition there; take it out by hand")


def _user(module: Module, name: str, spans: Sequence[tuple[int, int]]) -> int:
    """The first line of the rest of the file that uses a name, or the name that its shim goes by inside; 0 for none."""
    for use in module.uses:
        if use.name not in (name, f"_{name}"):
            continue
        found = use.scope.lookup(use.name)
        at = module.text.offset(use.node.lineno, use.node.col_offset)
        if found is not None and found[0].kind == "module" and not any(start <= at < end for start, end in spans):
            return use.node.lineno
    return 0


def _span(module: Module, node: ast.stmt) -> tuple[int, int]:
    """Where a definition begins and ends, its decorators included."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    return module.text.line_starts[first - 1], _end(module, node)


def _end(module: Module, node: ast.stmt | ast.expr) -> int:
    return module.text.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)


def _with_blank_lines(module: Module, span: tuple[int, int]) -> tuple[int, int]:
    blank = _BLANK.match(module.text.utf8, span[1])
    return span[0], blank.end() if blank is not None else span[1]


def _listed(module: Module) -> Iterator[ast.Constant]:
    """The strings in what `__all__` is made of."""
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                yield from (node for node in ast.walk(statement.value) if isinstance(node, ast.Constant))


def _remove_from_shims(module: Module, splices: Splices, names: Sequence[str]) -> None:
    """Take names out of the end of a module with shims; the whole end goes with the last of them."""
    start = module.text.utf8.find(f"\n{HEADING}".encode())
    if start < 0:
        return
    moved = _moved_names(module)
    keys = [key for key in (moved.keys if moved is not None else ()) if isinstance(key, ast.Constant)]
    if moved is None or all(key.value in names for key in keys):
        splices.put(len(module.text.utf8[:start].rstrip()) + 1, len(module.text.utf8), "")
        return
    _remove_elements(module, splices, moved, [key for key in keys if key.value in names])
    for node in module.scopes.parents:
        if isinstance(node, ast.ImportFrom) and node.names[0].asname in names:
            at = module.text.offset(node.lineno, node.col_offset)
            if at > start:
                splices.put(*_with_line(module, node), "")


def _moved_names(module: Module) -> ast.Dict | None:
    for node in reversed(module.tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            return next((one for one in ast.walk(node) if isinstance(one, ast.Dict)), None)
    return None


def _with_line(module: Module, node: ast.stmt) -> tuple[int, int]:
    blank = _BLANK.match(module.text.utf8, _end(module, node))
    return module.text.line_starts[node.lineno - 1], blank.end() if blank is not None else _end(module, node)


def _remove_elements(module: Module, splices: Splices, sequence: ast.AST | None, gone: Sequence[ast.expr]) -> None:
    """Take elements out of a list, tuple, set or dictionary, each with one comma."""
    if isinstance(sequence, ast.Dict):
        elements = [(key, value) for key, value in zip(sequence.keys, sequence.values, strict=True) if key is not None]
    elif isinstance(sequence, ast.List | ast.Tuple | ast.Set):
        elements = [(one, one) for one in sequence.elts]
    else:
        return
    kept = [index for index, (first, _) in enumerate(elements) if first not in gone]
    # What stands between two elements goes with the first of them.
    for index, (first, _) in enumerate(elements[: kept[-1]] if kept else ()):
        if index not in kept:
            after = elements[index + 1][0]
            splices.put(_start(module, first), _start(module, after), "")
    if kept and kept[-1] + 1 < len(elements):
        comma = "," if isinstance(sequence, ast.Tuple) and len(kept) == 1 else ""
        trailing = _trailing_comma(module, elements[-1][1])
        end = _end(module, elements[-1][1])
        splices.put(_end(module, elements[kept[-1]][1]), end, "" if trailing else comma)
    elif not kept and elements:
        end = _trailing_comma(module, elements[-1][1]) or _end(module, elements[-1][1])
        splices.put(_start(module, elements[0][0]), end, "")


def _start(module: Module, node: ast.expr) -> int:
    return module.text.offset(node.lineno, node.col_offset)


def _trailing_comma(module: Module, node: ast.expr) -> int:
    """Where a comma behind an element ends; 0 when there is none."""
    comma = re.compile(rb"\s*,").match(module.text.utf8, _end(module, node))
    return comma.end() if comma is not None else 0
