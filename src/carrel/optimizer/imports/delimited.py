"""Tables with a header line and cells between commas, semicolons or tabs."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, Final

from carrel.optimizer.imports.refusal import FileRefusedError, listed
from carrel.optimizer.imports.text import numbered_lines
from carrel.storage.usage import RejectedRow

__all__ = ["DelimitedTable"]

_DELIMITERS: Final = (",", ";", "\t")
TOO_LONG: Final = "field larger"
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')


class DelimitedTable:
    """A table as RFC 4180 describes it. Iterating gives each row's line and cells, or why it is no row.

    A row's line is the one that it begins on; quoted cells may go over several. Blank lines are passed over.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._lines = numbered_lines(file)
        self._skipped = 0
        first = self._first_line()
        self._pending: str | None = first
        self._taken = 0
        counted = _QUOTED.sub("", first)
        self._reader = csv.reader(self._text(), delimiter=max(_DELIMITERS, key=counted.count), strict=True)
        self.columns: Final = self._header()

    def __iter__(self) -> Iterator[tuple[int, list[str]] | RejectedRow]:
        width = len(self.columns)
        while True:
            begins = self._skipped + self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield _rejected(begins, str(error), one_line=self._skipped + self._reader.line_num == begins)
                continue
            if not cells or (width > 1 and len(cells) == 1 and not cells[0].strip()):
                continue
            if len(cells) != width:
                yield RejectedRow(begins, "", f"has {len(cells)} cells where the header has {width}")
            else:
                yield begins, cells

    def _first_line(self) -> str:
        for number, line in self._lines:
            if line.strip():
                self._skipped = number - 1
                return line
        raise FileRefusedError("empty_file", "the file is empty; upload one with a header line and a row per request")

    def _text(self) -> Iterator[str]:
        if self._pending is not None:
            first, self._pending = self._pending, None
            yield first + "\n"
        for _, line in self._lines:
            yield line + "\n"

    def _header(self) -> tuple[str, ...]:
        try:
            names = tuple(name.strip() for name in next(self._reader))
        except csv.Error as error:
            if TOO_LONG in str(error):
                raise _long_cell(self._skipped + 1) from error
            raise FileRefusedError("bad_quoting", f"the header line cannot be read: {error}") from error
        double = sorted(name for name, number in Counter(names).items() if number > 1)
        if double:
            raise FileRefusedError("duplicate_columns", f"the header names a column twice: {listed(double)}")
        return names


def _rejected(line: int, problem: str, *, one_line: bool) -> RejectedRow:
    if TOO_LONG in problem and one_line:
        raise _long_cell(line)
    if TOO_LONG in problem or "unexpected end" in problem:
        # Every line from here on would be taken for a part of this cell: no row after it can be trusted.
        raise FileRefusedError("bad_quoting", f'line {line} opens a quotation mark (") that is never closed')
    return RejectedRow(line, "", 'has a quotation mark (") in the middle of a cell; double it inside a quoted cell')


def _long_cell(line: int) -> FileRefusedError:
    problem = f"line {line} has a cell of more than {csv.field_size_limit():,} characters; shorten it"
    return FileRefusedError("line_too_long", problem)
