"""Names that stand in data files: settings, task paths, logging configurations, entry points."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from carrel.errors import RecipeError
from carrel.migrate.recipe import parse_recipe
from carrel.migrate.site import Site

__all__ = ["data_sites", "is_data", "is_recipe"]

_SUFFIXES: Final = (".yaml", ".yml", ".toml", ".json", ".ini", ".cfg", ".conf", ".env")
_SCAN: Final = b'"by_certainty": {'
"""What only the result of a scan has."""
_DOUBT: Final = "a data file names it: what reads the file decides when that must change"
_NEAR: Final = 240
"""Bytes to both sides of a name that tell what it stands in; a line of JSON may be the whole file."""
_LETTER: Final = re.compile(rb"[\w\x80-\xff]")
_BEFORE: Final = re.compile(rb"(?:[\w\x80-\xff]+[.:])*\Z")
_AFTER: Final = re.compile(rb"(?:[.:][\w\x80-\xff]+)*")
_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?:[.:][^\W\d]\w*)(?:\.[^\W\d]\w*)*")
_QUOTED: Final = re.compile(rb"\"[^\"]*\"|'[^']*'")
_COMMENT: Final = re.compile(rb"(?:^|\s)(?:#|//)|^\s*;")
_OPTION: Final = re.compile(rb"(?:^|[\s\"'\[,])--?[a-zA-Z][\w-]*[\s=]+\Z")
_OPENED: Final = re.compile(rb"[=\[{(]|[:>]\s|:\Z|^\s*-\s")
"""What a value without quotes begins behind."""
_APART: Final = re.compile(rb"[,;=|\[\]{}()<>]|:\s")


def is_data(path: str) -> bool:
    """Whether a file holds data that programs take names from, by its name."""
    return path.lower().endswith(_SUFFIXES)


def is_recipe(data: bytes) -> bool:
    """Whether the bytes of a file are a recipe."""
    try:
        parse_recipe(data.decode())
    except (RecipeError, UnicodeDecodeError):
        return False
    return True


def data_sites(data: bytes, names: frozenset[str]) -> tuple[Site, ...]:
    """The places of a data file where a value, or an item or key of one, is a dotted name with one of `names` in it.

    Whether a program reads it as a name cannot be known, so each is doubtful. What stands in a comment or a sentence is
    none: there it is a mention. No format is parsed: all of them write values behind `:` or `=`, in quotes, in
    brackets or on lines of their own. A recipe and what a scan has written hold none.
    """
    found = tuple(_sites(data, names))
    return () if found and (is_recipe(data) or _SCAN in data) else found


def _sites(data: bytes, names: frozenset[str]) -> Iterator[Site]:
    begun, line, line_start = 0, 1, 0
    for first, last in _tokens(data, names):
        line += data.count(b"\n", begun, first)
        line_start = max(data.rfind(b"\n", begun, first) + 1, line_start)
        begun = first
        token = data[first:last].decode(errors="replace")
        if not _DOTTED.fullmatch(token) or not _is_value(data, first, last):
            continue
        yield Site(
            line, first - line_start, line, last - line_start, first, last, "data", _targets(token), token, doubt=_DOUBT
        )


def _tokens(data: bytes, names: frozenset[str]) -> Iterator[tuple[int, int]]:
    """The ranges of the longest dotted names around one of the names, in order."""
    end = 0
    for first, last in sorted(place for name in names for place in _words(data, name.encode())):
        if first < end:
            continue
        near = max(end, first - _NEAR)
        before, after = _BEFORE.search(data[near:first]), _AFTER.match(data, last)
        start = near + before.start() if before else first
        end = after.end() if after else last
        yield start, end


def _words(data: bytes, name: bytes) -> Iterator[tuple[int, int]]:
    # Ten times as fast as one pattern for all names, in files of megabytes.
    first = data.find(name)
    while first >= 0:
        last = first + len(name)
        if not _LETTER.match(data[first - 1 : first]) and not _LETTER.match(data[last : last + 1]):
            yield first, last
        first = data.find(name, last)


def _targets(token: str) -> tuple[str, ...]:
    """`package.module:Name` is an entry point; behind `!!python/object:` and `class:` the rest is the name."""
    whole, rest = token.replace(":", "."), token.rpartition(":")[2]
    return (whole, rest) if ":" in token and "." in rest else (whole,)


def _is_value(data: bytes, first: int, last: int) -> bool:
    """Whether a program would read it as a name: it stands alone, or beside other names only."""
    line_start = max(data.rfind(b"\n", 0, first) + 1, first - _NEAR)
    line_end = data.find(b"\n", last, last + _NEAR)
    left, right = data[line_start:first], data[last : line_end if line_end >= 0 else last + _NEAR]
    if _COMMENT.search(_QUOTED.sub(b"", left)) or right[:1] in (b"/", b"-", b"@", b"\\"):
        return False
    token = data[first:last]
    if b":" in token or _OPTION.search(left):
        return True
    if left[-1:] in (b"/", b"@", b"\\"):
        return False
    return not any(_is_prose(item) for item in _APART.split(_around(left, token, right)))


def _around(left: bytes, token: bytes, right: bytes) -> bytes:
    """The value that a name stands in: what is between quotes, or the rest of the line behind its key."""
    opened = max(left.rfind(b'"'), left.rfind(b"'"))
    closed = min((at for at in (right.find(b'"'), right.find(b"'")) if at >= 0), default=-1)
    if opened >= 0 and closed >= 0:
        return left[opened + 1 :] + token + right[:closed]
    begun = max((match.end() for match in _OPENED.finditer(left)), default=0)
    comment = _COMMENT.search(right)
    return left[begun:] + token + right[: comment.start() if comment else len(right)]


def _is_prose(item: bytes) -> bool:
    words = item.split()
    return len(words) > 1 and not all(b"." in word for word in words)
