"""The lines of an uploaded file, numbered as an editor numbers them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, Final

from carrel.optimizer.imports.refusal import FileRefusedError

__all__ = ["LONGEST_LINE", "first_character", "numbered_lines", "whole_text"]

LONGEST_LINE: Final = 1 << 20
"""Characters; what is longer is no line of a table, and would not fit in memory."""

LONGEST_SEEN: Final = 1 << 25
"""Characters of a line that may be looked at to see what kind of file it is."""

_UNDECODABLE: Final = re.compile("[\udc80-\udcff]")
_MAGIC: Final = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook; save it as CSV"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
    (b"%PDF", "a PDF; export CSV or JSON lines"),
    (b"SQLite format 3\x00", "a database; export CSV or JSON lines"),
)


def numbered_lines(file: BinaryIO, longest: int = LONGEST_LINE) -> Iterator[tuple[int, str]]:
    """Each line without its end, and its number from 1, from the beginning of the file.

    Lines end with LF, CR LF or CR; a byte order mark is dropped. Raises `FileRefusedError`, naming the line, for what
    is not UTF-8, for NUL and for lines beyond `longest` characters.
    """
    file.seek(0)
    head = file.read(16)
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise FileRefusedError("not_text", f"the file is {what}")
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=None)
    try:
        number = 0
        while line := text.readline(longest):
            number += 1
            _check(line, number, longest)
            yield number, line.removesuffix("\n")
    finally:
        # The reader of half a file may outlive it; there is nothing to give back then.
        with suppress(ValueError):
            text.detach()


def whole_text(file: BinaryIO, limit: int) -> str:
    """The whole file, checked like its lines. Raises `FileRefusedError` when it has more than `limit` bytes."""
    if file.seek(0, io.SEEK_END) > limit:
        raise FileRefusedError(
            "json_too_large",
            f"one JSON document may have at most {limit >> 20} MiB, because it is read as a whole; "
            "save it as JSON lines (one object per line) instead",
        )
    return "\n".join(line for _, line in numbered_lines(file, limit + 1))


def first_character(file: BinaryIO) -> str:
    """The first character that is not white space; empty for an empty file."""
    for _, line in numbered_lines(file, LONGEST_SEEN):
        if stripped := line.strip():
            return stripped[0]
    return ""


def _check(line: str, number: int, longest: int) -> None:
    if len(line) >= longest and not line.endswith("\n"):
        raise FileRefusedError("line_too_long", f"line {number} is longer than {longest:,} characters")
    if line.isascii():
        if "\0" not in line:
            return
    elif _UNDECODABLE.search(line):
        raise FileRefusedError("not_utf8", f"line {number} is not UTF-8 text; save the file as UTF-8 and try again")
    if "\0" in line:
        raise FileRefusedError("nul_bytes", f"line {number} contains a NUL byte; the file is damaged or not text")
