"""Rows of JSON: one object per line, or one document that holds a list of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO, Final

import msgspec

from carrel.optimizer.imports.refusal import FileRefusedError
from carrel.optimizer.imports.text import first_character, numbered_lines, whole_text
from carrel.storage.usage import RejectedRow

__all__ = ["LARGEST_DOCUMENT", "JsonRows"]

LARGEST_DOCUMENT: Final = 16 << 20
"""Bytes of a file that is one JSON document."""

_NEWLINE: Final = re.compile("\n")


class JsonRows:
    """Iterating gives each row's line and object, or why it is no row.

    Takes JSON lines, a list of objects, and the pages of OpenAI's usage interface: their buckets are taken apart, so
    that each result is a row with the `start_time` of its bucket.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._parsed = None if self._is_lines() else self._parse()
        first = next((row for row in self if not isinstance(row, RejectedRow)), None)
        self.columns: Final = tuple(first[1]) if first is not None else ()

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, Any]] | RejectedRow]:
        return self._each_line() if self._parsed is None else self._each_value(*self._parsed)

    def _is_lines(self) -> bool:
        if first_character(self._file) == "[":
            return False
        # A document without line ends is one long line.
        written = (line for _, line in numbered_lines(self._file, LARGEST_DOCUMENT + 1) if line.strip())
        return any(isinstance(_decoded(line), Mapping) for line in islice(written, 2))

    def _each_line(self) -> Iterator[tuple[int, Mapping[str, Any]] | RejectedRow]:
        for number, line in numbered_lines(self._file):
            if line.strip():
                value = _decoded(line)
                if isinstance(value, Mapping):
                    yield from ((number, row) for row in _taken_apart(value))
                else:
                    yield RejectedRow(number, "", "is not a JSON object")

    def _parse(self) -> tuple[str, Any]:
        text = whole_text(self._file, LARGEST_DOCUMENT)
        try:
            return text, _LocatingDecoder().decode(text)
        except json.JSONDecodeError as error:
            raise FileRefusedError("bad_json", f"line {error.lineno} is not JSON: {error.msg}") from error
        except ValueError as error:
            raise FileRefusedError("bad_json", f"the file is not JSON: {error}") from error
        except RecursionError as error:
            raise FileRefusedError("bad_json", "the file is nested too deeply to be usage records") from error

    @staticmethod
    def _each_value(text: str, value: Any) -> Iterator[tuple[int, Mapping[str, Any]] | RejectedRow]:
        ends = [match.start() for match in _NEWLINE.finditer(text)]
        line = 1
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, _Located):
                yield RejectedRow(line, "", "is not a JSON object")
                continue
            for row in _taken_apart(item):
                position = row.position if isinstance(row, _Located) else item.position
                while line <= len(ends) and ends[line - 1] < position:
                    line += 1
                yield line, row


class _Located(dict[str, Any]):
    """A JSON object that knows where in the text it begins."""

    position = 0


class _LocatingDecoder(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__()
        plain: Any = json.decoder.JSONObject  # type: ignore[attr-defined]  # typeshed leaves it out

        def located(text_and_end: tuple[str, int], *arguments: Any) -> tuple[_Located, int]:
            found, end = plain(text_and_end, *arguments)
            value = _Located(found)
            value.position = text_and_end[1] - 1
            return value, end

        self.parse_object = located
        # The C scanner would not call `parse_object`.
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # typeshed leaves it out


def _decoded(line: str) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None


def _taken_apart(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The rows in a page or bucket of https://api.openai.com/v1/organization/usage/completions; else the row itself."""
    if isinstance(value.get("data"), list):
        for bucket in value["data"]:
            if isinstance(bucket, Mapping):
                yield from _taken_apart(bucket)
    elif isinstance(value.get("results"), list):
        for result in value["results"]:
            if isinstance(result, dict):
                result.setdefault("start_time", value.get("start_time"))
                yield result
    else:
        yield value
