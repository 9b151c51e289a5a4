"""What every edited file must pass before it is written."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from carrel.errors import SourceError
from carrel.migrate.edits.file_edit import FileEdit
from carrel.source import Module, read_module
from carrel.source.comments import comment_ranges

__all__ = ["gate_problem", "unbound_names"]

_BUILTINS: Final = frozenset({*dir(builtins), "__file__", "__name__", "__path__", "__class__", "__module__",
                              "__qualname__", "__doc__", "__spec__", "__loader__", "__package__", "__builtins__",
                              "__annotations__", "__dict__"})  # fmt: skip


def gate_problem(edit: FileEdit, after: bytes, exists: Callable[[str], bool]) -> str:
    """Why the new bytes of a file must not be written; empty when they may.

    It compiles; every statement without an edit has the tree it had; every comment is there; no name is newly unbound;
    every import that is new names something that `exists`; what was edited no longer leads to what moved.
    """
    before = edit.module
    if problem := _uncompilable(after, before.path):
        return problem
    try:
        now = read_module(before.path, before.name, after)
    except SourceError as error:
        return f"would not be readable: {error}"
    if now.text.bom != before.text.bom or now.text.encoding != before.text.encoding:
        return "would have another encoding"
    checks = (_changed_statement, _lost_comment, _unbound)
    problem = next((found for found in (check(edit, now) for check in checks) if found), "")
    return problem or _missing_import(before, now, exists)


def _uncompilable(data: bytes, path: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"would not compile: {error}"
    return ""


def _changed_statement(edit: FileEdit, now: Module) -> str:
    """Statements that hold no edit must be there, where the edits before them have moved them, with the same tree."""
    ranges = edit.splices.ranges
    there = {now.text.offset(node.lineno, node.col_offset): node for node in _statements(now.tree)}
    shift, index = 0, 0
    waiting = _inner(edit.module.tree)[::-1]
    while waiting:
        node = waiting.pop()
        start, end = edit.offsets(node)
        outer = edit.module.text.offset(*_begin(node))
        while index < len(ranges) and ranges[index][1] <= outer:
            first, last, new = ranges[index]
            shift += len(new) - (last - first)
            index += 1
        if index < len(ranges) and ranges[index][0] < end:
            waiting += _inner(node)[::-1]
            continue
        found = there.get(start + shift)
        if found is None or not _same(found, now, node, edit.module):
            return f"would change the statement in line {node.lineno}, which nothing was to change"
    return ""


def _same(one: ast.stmt, of: Module, other: ast.stmt, of_other: Module) -> bool:
    """Whether two statements are of the same type and the same bytes, which have but one tree."""
    return one.__class__ is other.__class__ and _bytes(one, of) == _bytes(other, of_other)


def _bytes(node: ast.stmt, module: Module) -> bytes:
    return module.text.utf8[module.text.offset(*_begin(node)) : module.text.span(node)[1]]


def _begin(node: ast.stmt) -> tuple[int, int]:
    """Where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([(node.lineno, node.col_offset), *((one.lineno, one.col_offset) for one in decorators)])


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Every statement, through blocks only."""
    waiting = _inner(tree)
    while waiting:
        node = waiting.pop()
        yield node
        waiting += _inner(node)


def _inner(node: ast.AST) -> list[ast.stmt]:
    """The statements of the blocks of a statement, in the order of the text."""
    found = []
    waiting = [node]
    while waiting:
        owner = waiting.pop()
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            children = getattr(owner, name, None)
            if isinstance(children, list):
                found += [child for child in children if isinstance(child, ast.stmt)]
                waiting += [child for child in children if not isinstance(child, ast.stmt)]
    return sorted(found, key=_begin)


def _lost_comment(edit: FileEdit, now: Module) -> str:
    lost = _comments(edit.module.text.utf8) - _comments(now.text.utf8)
    return f"would lose the comment {next(iter(lost))!r}" if lost else ""


def _comments(utf8: bytes) -> Counter[str]:
    return Counter(utf8[start:end].decode().rstrip() for start, end in comment_ranges(utf8))


def _unbound(edit: FileEdit, now: Module) -> str:
    new = unbound_names(now) - unbound_names(edit.module)
    return f"would leave the name `{min(new)}` unbound" if new else ""


def unbound_names(module: Module) -> frozenset[str]:
    """The names that a file uses and nothing binds; none where a star import may bring anything."""
    if module.scope.stars:
        return frozenset()
    return frozenset(
        use.name for use in module.uses if use.name not in _BUILTINS and use.scope.lookup(use.name) is None
    )


def _missing_import(before: Module, now: Module, exists: Callable[[str], bool]) -> str:
    for dotted in sorted(_imported(now) - _imported(before)):
        if not exists(dotted):
            return f"would import `{dotted}`, which does not exist"
    return ""


def _imported(module: Module) -> frozenset[str]:
    found = set()
    for scope in module.scopes.scopes.values():
        for bindings in scope.bindings.values():
            for binding in bindings:
                dotted = module.imported(binding)
                if binding.kind == "import" and isinstance(binding.node, ast.alias):
                    dotted = binding.node.name
                if dotted:
                    found.add(dotted)
    return frozenset(found)
