"""What the columns of an unknown table mean, as its user says: `time=TIMESTAMP input_tokens=Context model=gpt-4o`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from carrel.errors import InputError
from carrel.optimizer.imports.fields import FIELDS, REQUIRED_FIELDS
from carrel.optimizer.imports.layouts import Layout
from carrel.optimizer.imports.refusal import FileRefusedError, RowRefusedError, listed
from carrel.optimizer.imports.times import parse_time

__all__ = ["ColumnMapping", "parse_mapping"]

_NEEDS_COLUMN: Final = ("input_tokens", "output_tokens", "cached_input_tokens")
LONGEST_MAPPING: Final = 4096


class ColumnMapping:
    """For each field either a column or a constant; which of them it is depends on the file's header."""

    def __init__(self, sides: Mapping[str, str]) -> None:
        self._sides: Final = MappingProxyType(dict(sides))

    def layout(self, columns: Sequence[str]) -> Layout:
        """The layout of a file with these columns.

        A right side that is a column (letter case aside) is that column, anything else is a constant; a field that is
        not mapped comes from the column of its own name. Raises `FileRefusedError` (`unknown_columns`) when a required
        field has neither, or a constant makes no sense for it.
        """
        known = {column.casefold(): column for column in columns}
        sources: dict[str, str] = {field: known[field] for field in FIELDS if field in known}
        constants: dict[str, str] = {}
        missing = []
        for field, side in self._sides.items():
            sources.pop(field, None)
            if side.casefold() in known:
                sources[field] = side if side in columns else known[side.casefold()]
            elif _is_constant(field, side):
                constants[field] = side
            else:
                missing.append(field)
        missing += [field for field in REQUIRED_FIELDS if field not in {*sources, *constants, *missing}]
        if missing:
            wrong = [f"{field}={self._sides[field]}" for field in missing if field in self._sides]
            because = f"no column is named as in {listed(wrong)}" if wrong else f"nothing says {', '.join(missing)}"
            raise FileRefusedError(
                "unknown_columns",
                f"the mapping does not fit the file: {because}; its columns are {listed(columns)}",
                columns=tuple(columns),
                missing=tuple(missing),
            )

        def fields(row: Mapping[str, Any]) -> Mapping[str, Any]:
            return {**constants, **{field: row.get(column) for field, column in sources.items()}}

        return Layout("mapping", frozenset(sources.values()), fields)


def parse_mapping(text: str) -> ColumnMapping | None:
    """The mapping that `field=column` pairs, separated by blanks, describe; None for a blank text.

    A name with blanks is quoted: `time="Start time"`. Raises `InputError` for anything else.
    """
    if len(text) > LONGEST_MAPPING:
        raise InputError("mapping", f"is longer than {LONGEST_MAPPING} characters")
    try:
        pairs = shlex.split(text.replace("\\", "\\\\"))
    except ValueError as error:
        raise InputError("mapping", "has a quotation mark that is not closed") from error
    sides: dict[str, str] = {}
    for pair in pairs:
        field, sign, side = pair.partition("=")
        if not sign or not side.strip():
            raise InputError("mapping", f"{pair!r} is not of the form field=column, for example time=TIMESTAMP")
        if field not in FIELDS:
            raise InputError("mapping", f"there is no field {field!r}; the fields are {', '.join(FIELDS)}")
        if field in sides:
            raise InputError("mapping", f"{field} is mapped twice")
        sides[field] = side.strip()
    return ColumnMapping(sides) if sides else None


def _is_constant(field: str, side: str) -> bool:
    if field in _NEEDS_COLUMN:
        return side.isascii() and side.isdigit()
    if field == "time":
        try:
            parse_time(side)
        except RowRefusedError:
            return False
    return True
