"""The lines of classes and functions as numbers, to tell a copy from a namesake without keeping the text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final
from zlib import crc32

from carrel.audit.blocks import FUNCTIONS, Block
from carrel.audit.file_view import FileView

__all__ = ["class_lines", "function_lines", "statements"]

_LONG: Final = 9
"""Characters of a line that nobody writes twice by chance: more than `else:`, `finally:` or a bracket."""
_FEW: Final = 8
"""Lines that a function must have for its likeness to say something."""


def class_lines(view: FileView) -> dict[Block, tuple[int, ...]]:
    """For each class at the top of a file, a number for each line of its body, comments and docstrings left out.

    Equal lines have equal numbers wherever they stand, whatever their indentation.
    """
    return _lines(view, (one for one in view.classes if one.parent is view.top))


def function_lines(view: FileView) -> dict[str, tuple[int, ...]]:
    """The same for the functions at the top of a file, by their names, where they are longer than a few lines."""
    found = _lines(view, (one for one in view.functions if one.parent is view.top))
    return {one.name: lines for one, lines in found.items() if len(lines) >= _FEW}


def _lines(view: FileView, blocks: Iterable[Block]) -> dict[Block, tuple[int, ...]]:
    texts = [line.strip() for line in view.module.text.utf8.splitlines()]
    silent = {line for block in view.blocks for line in _docstring(block)}
    found = {}
    for owner in blocks:
        if isinstance(owner.node, (ast.ClassDef, *FUNCTIONS)):
            first, last = max(owner.node.body[0].lineno, owner.node.lineno + 1), owner.node.end_lineno or 0
            said = (texts[line - 1] for line in range(first, last + 1) if line not in silent)
            found[owner] = tuple(crc32(text) for text in said if len(text) >= _LONG and not text.startswith(b"#"))
    return found


def _docstring(block: Block) -> Iterator[int]:
    match getattr(block.node, "body", None):
        case [ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int(last)), *_]:
            yield from range(first, last + 1)


def statements(body: list[ast.stmt]) -> int:
    """How many statements there are, those inside others too, strings and `...` that stand alone left out."""
    found = 0
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        found += 1
        for part in ("body", "orelse", "finalbody"):
            found += statements(getattr(statement, part, []))
        for part in ("handlers", "cases"):
            found += sum(statements(inner.body) for inner in getattr(statement, part, []))
    return found
