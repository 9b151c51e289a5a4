"""The text of a source file, and where things are in it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from functools import cached_property
from typing import Final

from carrel.errors import SourceError

__all__ = ["SourceText"]

_LINE: Final = re.compile(rb"\r\n|\r|\n")
_BOM: Final = b"\xef\xbb\xbf"


class SourceText:
    """The bytes of one file, decoded as Python decodes them.

    Positions are those of `ast`: lines from 1, columns in UTF-8 bytes from 0. `utf8` is the text without byte order
    mark, as UTF-8; `encode` turns it back into the bytes of the file, so that a text which was not edited gives back
    the same bytes.

    Raises `SourceError` when the declared encoding is unknown or the bytes are not in it.
    """

    __slots__ = ("__dict__", "bom", "data", "encoding", "utf8")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bom = data.startswith(_BOM)
        try:
            self.encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            if self.encoding == "utf-8-sig":
                self.encoding = "utf-8"
            body = data[len(_BOM) :] if self.bom else data
            if self.encoding == "utf-8":
                body.decode()
                self.utf8 = body
            else:
                self.utf8 = body.decode(self.encoding).encode()
        except (SyntaxError, UnicodeError, LookupError) as error:
            raise SourceError(1, f"cannot be decoded: {error}") from None

    def parse(self) -> ast.Module:
        """The syntax tree; raises `SourceError` with the line when Python cannot parse it."""
        return _parse(self.utf8)

    def encode(self, utf8: bytes) -> bytes:
        """The bytes of a file with the text `utf8`, in the encoding and with the byte order mark of this one."""
        body = utf8 if self.encoding == "utf-8" else utf8.decode().encode(self.encoding)
        return _BOM + body if self.bom else body

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset in `utf8` at which each line begins; a line ends with LF, CRLF or CR, as in Python."""
        return [0, *(match.end() for match in _LINE.finditer(self.utf8))]

    def offset(self, line: int, column: int) -> int:
        """The offset in `utf8` of a position."""
        return self.line_starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> tuple[int, int]:
        """The offsets in `utf8` at which a node begins and ends."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def line(self, number: int) -> str:
        """One line, without its end; empty past the end of the file."""
        starts = self.line_starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.utf8)
        return self.utf8[starts[number - 1] : end].decode().rstrip("\r\n")

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.utf8[start:end].decode()


def _parse(utf8: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful escape in somebody's code is not our warning
            # As text: a coding line must not be applied to what is UTF-8 already.
            return ast.parse(utf8.decode())
    except SyntaxError as error:
        raise SourceError(error.lineno or 1, f"cannot be parsed: {error.msg}") from None
    except ValueError as error:
        raise SourceError(1, f"cannot be parsed: {error}") from None
    except (RecursionError, MemoryError):
        raise SourceError(1, "cannot be parsed: an expression in it is nested too deep") from None
