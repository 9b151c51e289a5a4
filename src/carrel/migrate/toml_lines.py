"""On which line of a TOML text each key stands."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["key_lines"]

_NAME: Final = r'(?:[A-Za-z0-9_-]+|"[^"]*"|\'[^\']*\')'
_DOTTED: Final = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER: Final = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(rf"\s*({_DOTTED})\s*=")
_TRIPLE: Final = re.compile(r'"""|\'\'\'')


def key_lines(text: str) -> dict[str, int]:
    """The first line of each table and key that begins a line: `symbols[0].old` -> 7.

    Keys inside inline tables stand on the line of the key that holds the table.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    inside = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if inside:
            inside = "" if line.count(inside) % 2 else inside
            continue
        header = _HEADER.match(line)
        if header is not None:
            table = _place(header[2], counts, is_array=header[1] == "[[")
            lines.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key is not None:
            place = ".".join(_parts(key[1]))
            lines.setdefault(f"{table}.{place}" if table else place, number)
        triple = _TRIPLE.search(line)
        if triple is not None and line.count(triple[0]) % 2:
            inside = triple[0]
    return lines


def _place(dotted: str, counts: dict[str, int], *, is_array: bool) -> str:
    place = ""
    parts = _parts(dotted)
    for index, part in enumerate(parts):
        place = f"{place}.{part}" if place else part
        last = index == len(parts) - 1
        if last and is_array:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = f"{place}[{counts[place]}]"
    return place


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_NAME, dotted)]
