"""One place in a file that may be a reference, as far as the file alone tells."""

from __future__ import annotations

import ast
from typing import Any

import msgspec

from carrel.migrate.reference import Kind
from carrel.source import Module, Outline, Scope

__all__ = ["FileSites", "Site", "make_site"]


class Site(msgspec.Struct, frozen=True, array_like=True):
    """One place, with the dotted names that it may stand for; which of them lead to what, only a project knows."""

    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int
    kind: Kind
    targets: tuple[str, ...]
    text: str
    bound: str = ""
    in_async: bool = False
    star: bool = False
    """It is bound by a star import, so those targets count that exist."""
    stars: tuple[str, ...] = ()
    """What a star import that its other bindings do not hide would bind it to, should it bring the name."""
    mixed: str = ""
    """Which further binding the name has here, that is no fallback for the targets."""
    doubt: str = ""
    """Why only a string says so."""


class FileSites(msgspec.Struct, frozen=True, array_like=True):
    """What was read from one file."""

    mentions: int = 0
    outline: Outline | None = None
    """`None` when the file was not parsed."""
    sites: tuple[Site, ...] = ()


def make_site(
    module: Module,
    range_: tuple[int, int, int, int],
    kind: Kind,
    targets: tuple[str, ...],
    scope: Scope,
    **more: Any,
) -> Site:
    """A site at a range: line, column, end line, end column."""
    line, column, end_line, end_column = range_
    start, end = module.text.offset(line, column), module.text.offset(end_line, end_column)
    text = module.text.utf8[start:end].decode(errors="replace")
    function = scope.function
    in_async = function is not None and isinstance(function.node, ast.AsyncFunctionDef)
    return Site(line, column, end_line, end_column, start, end, kind, targets, text, in_async=in_async, **more)
