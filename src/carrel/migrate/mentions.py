"""Names of what moves in documentation: docstrings, comments and text files."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from carrel.errors import SourceError
from carrel.migrate.phases import REST, phase_of, phases_of
from carrel.migrate.recipe import Recipe
from carrel.migrate.references import Kind, Reference, Scan
from carrel.source import SourceText, SourceTree

__all__ = ["find_mentions", "with_mentions"]

_TEXTS: Final = (".md", ".rst", ".txt", ".adoc")
_DOCUMENTED: Final = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def find_mentions(tree: SourceTree, recipe: Recipe, paths: Iterable[str]) -> Iterator[Reference]:
    """The mentions in documentation that surely mean what moves, in the given files.

    Those that spell the whole dotted name; and the last part alone, in a text that spells the whole name or its module
    elsewhere, and in a comment or docstring of such a file. A word like it in another text may mean another class.
    """
    names = _Names(recipe)
    for path in paths:
        try:
            data = tree.read(path)
            if not names.may_be_in(data):
                continue
            if path.endswith(_TEXTS):
                yield from names.found(path, "doc", data, 0, None)
            elif path.endswith((".py", ".pyi")):
                yield from _in_python(path, SourceText(data), names)
        except SourceError:
            continue


def with_mentions(root: str | Path | SourceTree, recipe: Recipe, scan: Scan) -> Scan:
    """The scan with the mentions that its phases with documentation take; the same where there is no such phase.

    Such a phase takes files by path only, not by distance.
    """
    rules = phases_of(recipe)
    if not any(rule.documentation for rule in rules):
        return scan
    tree = root if isinstance(root, SourceTree) else SourceTree(root, exclude=recipe.tree.exclude)
    paths = [file.path for file in tree.files(suffixes=(*_TEXTS, ".py", ".pyi"))]
    phases = {path: phase_of(path, rules, {}, text=True) for path in paths}
    found = find_mentions(tree, recipe, [path for path in paths if phases[path] != REST])
    every = [*scan.references, *(replace(one, phase=phases[one.path]) for one in found)]
    every.sort(key=lambda one: (one.path, one.start, one.end))
    return replace(scan, references=tuple(every))


class _Names:
    def __init__(self, recipe: Recipe) -> None:
        self._whole: dict[bytes, str] = {}
        self._last: dict[bytes, list[str]] = {}
        self._modules: dict[str, bytes] = {}
        for symbol in recipe.symbols:
            self._whole[symbol.old.encode()] = symbol.old
            self._last.setdefault(symbol.old_name.encode(), []).append(symbol.old)
            self._modules[symbol.old] = symbol.old_module.encode()
        for module in recipe.modules:
            self._whole[module.old.encode()] = module.old
        words = sorted([*self._whole, *self._last], key=len, reverse=True)
        self._pattern = re.compile(rb"(?<![\w.])(?:%b)(?!\w)" % b"|".join(re.escape(word) for word in words))

    def may_be_in(self, data: bytes) -> bool:
        return any(word in data for word in (*self._whole, *self._modules.values()))

    def found(
        self, path: str, kind: Kind, text: bytes, start: int, home: bytes | None, lines: Sequence[int] = ()
    ) -> Iterator[Reference]:
        """The mentions in one text that begins at `start` of its file, whose bytes are `home` when it is a part."""
        whole = text if home is None else home
        starts = lines or [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", whole))]
        for match in self._pattern.finditer(text):
            symbol = self._meant(match[0], whole)
            if symbol is None:
                continue
            first, last = start + match.start(), start + match.end()
            line = bisect_right(starts, first)
            yield Reference(
                path=path, line=line, column=first - starts[line - 1], end_line=line,
                end_column=last - starts[line - 1], kind=kind, certainty="mention", symbol=symbol, resolved_to=symbol,
                text=match[0].decode(), start=first, end=last, written=symbol, reason="no code reads it",
            )  # fmt: skip

    def _meant(self, word: bytes, whole: bytes) -> str | None:
        if word in self._whole:
            return self._whole[word]
        possible = self._last[word]
        return possible[0] if len(possible) == 1 and self._modules[possible[0]] in whole else None


def _in_python(path: str, text: SourceText, names: _Names) -> Iterator[Reference]:
    lines = text.line_starts
    for node in ast.walk(text.parse()):
        if isinstance(node, _DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr):
            value = node.body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                start = text.offset(value.lineno, value.col_offset)
                end = text.offset(value.end_lineno or value.lineno, value.end_col_offset or 0)
                yield from names.found(path, "doc", text.utf8[start:end], start, text.utf8, lines)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text.utf8.decode(), newline="").readline))
    except (tokenize.TokenError, SyntaxError):
        return
    for token in tokens:
        if token.type == tokenize.COMMENT:
            # Columns of tokens are characters.
            column = len(text.line(token.start[0])[: token.start[1]].encode())
            start = text.offset(token.start[0], column)
            yield from names.found(path, "comment", token.string.encode(), start, text.utf8, lines)
