"""Texts of a report made fit for where they are shown: nothing in them can steer a terminal, a parser or a reader."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["Piece", "counted", "encodable", "is_address", "one_line", "pieces", "signed", "visible"]

# Characters that reorder the text around them (Trojan Source, CVE-2021-42574), and those that end a line unseen.
MISLEADING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
BLANK: Final = re.compile(r"[ \t\r\n]+")
ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/?#=&+-]*)?")
CODE: Final = re.compile(r"(?<!`)`(?!`)([^`\n]+)`(?!`)")


class Piece(NamedTuple):
    """A part of a sentence."""

    text: str
    code: bool
    """Whether it stood between backticks."""


def visible(text: str, keep: str = "") -> str:
    """The text with every character that acts instead of showing, unless it is in `keep`, as Python would escape it.

    >>> visible("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character in keep or not _acts(character) else _escape(character) for character in text)


def one_line(text: str) -> str:
    """The text as one visible line: white space evened out, everything else that acts escaped."""
    return visible(BLANK.sub(" ", text).strip(" "))


def encodable(text: str) -> str:
    r"""The text as UTF-8 can hold it: a lone surrogate, from a file name that is not UTF-8, becomes `\udc80`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def pieces(text: str) -> Iterator[Piece]:
    """The text and the code of a sentence in turn; the backticks around code are left out."""
    end = 0
    for match in CODE.finditer(text):
        if match.start() > end:
            yield Piece(text[end : match.start()], code=False)
        yield Piece(match[1], code=True)
        end = match.end()
    if end < len(text):
        yield Piece(text[end:], code=False)


def counted(number: int, noun: str) -> str:
    """`1 finding`, `2,000 findings`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def signed(number: float) -> str:
    """`+3.2`, `-0.1`, `0.0`: a difference, to one digit after the point."""
    rounded = round(number, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"


def is_address(text: str) -> bool:
    """Whether the text is an address of the web, plain enough to be written as a link anywhere."""
    return ADDRESS.fullmatch(text) is not None


def _acts(character: str) -> bool:
    if character.isascii():
        return not character.isprintable()
    return (
        character in MISLEADING or unicodedata.category(character) in {"Cc", "Cs"} or ord(character) & 0xFFFE == 0xFFFE
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
