"""Names of what moves in documentation: docstrings, comments and text files."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from carrel.errors import SourceError
from carrel.migrate.outlines import CACHE
from carrel.migrate.phases import REST, phase_of, phases_of
from carrel.migrate.recipe import Recipe
from carrel.migrate.references import Kind, Reference, Scan
from carrel.source import Index, SourceText, SourceTree
from carrel.source.comments import comment_ranges

__all__ = ["with_mentions"]

_READER: Final = "1"
"""Another number reads every file anew."""

_TEXTS: Final = (".md", ".rst", ".txt", ".adoc")
_DOCUMENTED: Final = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def with_mentions(
    root: str | Path | SourceTree, recipe: Recipe, scan: Scan, *, jobs: int = 0, cache: bool = True
) -> Scan:
    """The scan with the mentions that its phases with documentation take; the same where there is no such phase.

    Those that surely mean what moves: that spell the whole dotted name; and the last part alone, in a text that spells
    the whole name or its module elsewhere, and in a comment or docstring of such a file. A word like it in another text
    may mean another class.

    Such a phase takes files by path only, not by distance. With `cache` only files that have changed are read the next
    time.
    """
    rules = phases_of(recipe)
    if not any(rule.documentation for rule in rules):
        return scan
    tree = root if isinstance(root, SourceTree) else SourceTree(root, exclude=recipe.tree.exclude)
    files = tree.files(suffixes=(*_TEXTS, ".py", ".pyi"))
    phases = {file.path: phase_of(file.path, rules, {}, text=True) for file in files}
    names = _Names(recipe)
    index = Index(
        tree, partial(_read_mentions, names), tuple[Reference, ...],
        version=f"mentions-{names.key}", directory=tree.root / CACHE if cache else None, jobs=jobs,
    )  # fmt: skip
    found = index.facts([file for file in files if phases[file.path] != REST])
    more = (replace(one, path=path, phase=phases[path]) for path, mentions in found.items() for one in mentions)
    every = sorted([*scan.references, *more], key=lambda one: (one.path, one.start, one.end))
    return replace(scan, references=tuple(every))


def _read_mentions(names: _Names, path: str, data: bytes) -> tuple[Reference, ...] | None:
    """What one file mentions, without its path, which need not be UTF-8 and is known anyway."""
    if not names.may_be_in(data):
        return None
    if path.endswith(_TEXTS):
        return tuple(names.found("doc", data, 0, None)) or None
    try:
        return tuple(_in_python(SourceText(data), names)) or None
    except SourceError:
        return None


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

    @property
    def key(self) -> str:
        """Equal for equal names, read by the same version."""
        whole = msgspec.msgpack.encode((_READER, sorted(self._whole.items()), sorted(self._last.items())))
        return blake2b(whole, digest_size=8).hexdigest()

    def may_be_in(self, data: bytes) -> bool:
        return any(word in data for word in (*self._whole, *self._modules.values()))

    def found(
        self, kind: Kind, text: bytes, start: int, home: bytes | None, lines: Sequence[int] = ()
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
                path="", line=line, column=first - starts[line - 1], end_line=line,
                end_column=last - starts[line - 1], kind=kind, certainty="mention", symbol=symbol, resolved_to=symbol,
                text=match[0].decode(), start=first, end=last, written=symbol, reason="no code reads it",
            )  # fmt: skip

    def _meant(self, word: bytes, whole: bytes) -> str | None:
        if word in self._whole:
            return self._whole[word]
        possible = self._last[word]
        return possible[0] if len(possible) == 1 and self._modules[possible[0]] in whole else None


def _in_python(text: SourceText, names: _Names) -> Iterator[Reference]:
    lines = text.line_starts
    for node in ast.walk(text.parse()):
        if isinstance(node, _DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr):
            value = node.body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                start = text.offset(value.lineno, value.col_offset)
                end = text.offset(value.end_lineno or value.lineno, value.end_col_offset or 0)
                yield from names.found("doc", text.utf8[start:end], start, text.utf8, lines)
    for start, end in comment_ranges(text.utf8):
        yield from names.found("comment", text.utf8[start:end], start, text.utf8, lines)
