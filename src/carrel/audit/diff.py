"""Safe fixes as unified diffs."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from carrel.errors import SourceError
from carrel.source import SourceText

__all__ = ["Replacement", "insert_before", "replace_node", "unified_diff"]


@dataclass(frozen=True, slots=True, order=True)
class Replacement:
    """Bytes of a file's text from `start` to `end`, and what stands there afterwards."""

    start: int
    end: int
    text: str


def unified_diff(path: str, text: SourceText, edits: Iterable[Replacement]) -> str:
    """The edits of one file as `git apply` takes them; empty when the edited text would not parse."""
    edited = text.utf8
    for edit in sorted(edits, reverse=True):
        edited = edited[: edit.start] + edit.text.encode() + edited[edit.end :]
    try:
        SourceText(edited).parse()
    except SourceError:
        return ""
    before, after = (data.decode().splitlines(keepends=True) for data in (text.utf8, edited))
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def replace_node(text: SourceText, node: ast.expr, new: str) -> Replacement:
    """The edit that puts `new` in the place of an expression."""
    end = text.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return Replacement(text.offset(node.lineno, node.col_offset), end, new)


def insert_before(text: SourceText, statement: ast.stmt, new: str) -> Replacement:
    """The edit that puts a line in front of a statement, indented as it is."""
    start = text.offset(statement.lineno, 0)
    indent = text.utf8[start : start + statement.col_offset].decode()
    ending = "\r\n" if text.utf8[: text.offset(statement.lineno, 0)].endswith(b"\r\n") else "\n"
    lines = "".join(f"{indent}{line}{ending}" for line in new.splitlines())
    return Replacement(start, start, lines)
