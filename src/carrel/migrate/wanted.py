"""Which files are worth parsing: those whose bytes can bind or name what is looked for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

__all__ = ["Wanted", "may_refer"]

_LETTER: Final = re.compile(rb"[A-Za-z0-9_\x80-\xff]")
_STAR: Final = re.compile(rb"import\s*\*")
_IN_ONE_LINE: Final = re.compile(rb"import\b(?:[^\n\\]|\\\r?\n?)*\Z")
# In parentheses comments may hold parentheses of their own.
_IN_PARENTHESES: Final = re.compile(rb"import\s*\((?:[^)#]|#[^\n]*\n)*\Z")
_AS: Final = re.compile(rb"(?<![\w\x80-\xff])as[\s\\]+\Z")
_OWN_PACKAGE: Final = re.compile(rb"from\s*\.+\s*import\b")


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """The names that a search looks for."""

    names: tuple[str, ...]
    """The last parts of dotted names: `Name` of `package.module.Name`."""
    hints: tuple[str, ...] = ()
    """When given, a file must have one of these words, too, or import from its own package."""
    attributes: tuple[str, ...] = ()
    """Attributes of the classes among the names, looked for where one of the names is."""
    modules: tuple[str, ...] = ()
    """The last parts of the modules that the names are defined in. Only with them are pickles looked into."""


def may_refer(data: bytes, wanted: Wanted) -> bool:
    """Whether a file can refer to one of the names: it is never `False` for a file that does.

    A name can be bound by an import that spells it, or by a star; reached as an attribute; or spelled in a string.
    A file that only mentions it, or defines a name like it, cannot.
    """
    found = False
    for name in _encoded(wanted.names):
        start = data.find(name)
        while start >= 0:
            end = start + len(name)
            if _is_word(data, start, end) and not _is_comment(data, start):
                found = True
                if _may_bind(data, start, end):
                    return _hinted(data, wanted.hints)
            start = data.find(name, start + 1)
    return found and _STAR.search(data) is not None and _hinted(data, wanted.hints)


def _is_word(data: bytes, start: int, end: int) -> bool:
    return not _LETTER.match(data[start - 1 : start]) and not _LETTER.match(data[end : end + 1])


def _is_comment(data: bytes, start: int) -> bool:
    """Whether the line begins as a comment: in a string, too, such a line names nothing."""
    line = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
    return data[line:start].lstrip().startswith(b"#")


def _may_bind(data: bytes, start: int, end: int) -> bool:
    before = data[start - 1 : start]
    if before in (b"'", b'"', b".", b":"):
        return True
    if not before.isspace() and before not in (b",", b"("):
        return False
    if data[end : end + 8].lstrip().startswith(b"=") and b"multiple" in data:
        return True  # patch.multiple("package.module", Name=…)
    if _AS.search(data, max(0, start - 40), start):
        return False  # another name is bound to it
    if data[max(0, start - 200) : start].rstrip(b" \t\r\n\f\\").endswith(b"."):
        return True
    return _imported(data, start)


def _imported(data: bytes, start: int) -> bool:
    at = data.rfind(b"import", 0, start)
    while at >= 0:
        between = data[at:start]
        if _IN_ONE_LINE.match(between) or _IN_PARENTHESES.match(between):
            return True
        # A comment between the parentheses may say "import".
        if b"#" not in data[data.rfind(b"\n", 0, at) + 1 : at]:
            return False
        at = data.rfind(b"import", 0, at)
    return False


def _hinted(data: bytes, hints: tuple[str, ...]) -> bool:
    return not hints or any(hint in data for hint in _encoded(hints)) or _OWN_PACKAGE.search(data) is not None


@lru_cache(maxsize=16)
def _encoded(words: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in words)
