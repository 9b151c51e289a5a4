"""From an uploaded file to usage records, one row at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from carrel.optimizer.imports.delimited import DelimitedTable
from carrel.optimizer.imports.fields import REQUIRED_FIELDS, make_record
from carrel.optimizer.imports.json_rows import JsonRows
from carrel.optimizer.imports.layouts import Layout, find_layout
from carrel.optimizer.imports.mapping import ColumnMapping
from carrel.optimizer.imports.refusal import FileRefusedError, RowRefusedError, listed
from carrel.optimizer.imports.text import first_character
from carrel.optimizer.prices import PriceBook
from carrel.storage.usage import RejectedRow, UsageRecord

__all__ = ["UNKNOWN_PROVIDER", "UsageReader"]

UNKNOWN_PROVIDER: Final = "unknown"
"""The provider of a model that the file gives none for and whose name no provider claims."""
MOST_NAMES: Final = 10_000
"""Different models, or tags, of one file; more means that a column was taken for what it is not."""


class UsageReader:
    """Reads one file of any known kind; blocks, so it belongs in a worker thread.

    Raises `FileRefusedError`, when made or while iterating, for a file that cannot be read as a whole. Iterating
    gives a record or a `RejectedRow` for each row that says something was used; every row is counted in `rows`.
    """

    def __init__(self, file: BinaryIO, mapping: ColumnMapping | None = None) -> None:
        self.rows = 0
        self._prices = PriceBook()
        self._providers: dict[str, str] = {}
        self._models: set[str] = set()
        self._tags: set[str] = set()
        self._source: DelimitedTable | JsonRows
        if first_character(file) in ("{", "["):
            self._source = JsonRows(file)
            columns = self._source.columns
        else:
            self._source = DelimitedTable(file)
            columns = self._source.columns
        self._layout: Final = mapping.layout(columns) if mapping is not None else _known_layout(columns)

    @property
    def layout(self) -> str:
        """The kind of file that it was found to be."""
        return self._layout.name

    def __iter__(self) -> Iterator[UsageRecord | RejectedRow]:
        columns = self._source.columns
        names = tuple(column.casefold() for column in columns) if self._layout.name == "carrel" else columns
        renamed = names != columns
        for item in self._source:
            self.rows += 1
            if isinstance(item, RejectedRow):
                yield item
                continue
            line, cells = item
            if isinstance(cells, Mapping):
                row = {key.casefold(): value for key, value in cells.items()} if renamed else cells
            else:
                row = dict(zip(names, cells, strict=True))
            found = self._record(line, row)
            if found is not None:
                yield found

    def _record(self, line: int, row: Mapping[str, Any]) -> UsageRecord | RejectedRow | None:
        try:
            fields = self._layout.fields(row)
            if fields is None:
                return None
            record = make_record(fields, self._provider_of)
        except RowRefusedError as error:
            return RejectedRow(line, error.field, error.reason)
        self._tags.add(record.tag)
        self._models.add(record.model)
        if max(len(self._tags), len(self._models)) > MOST_NAMES:
            which = "tags" if len(self._tags) > MOST_NAMES else "models"
            raise FileRefusedError(
                "too_many_names",
                f"the file has more than {MOST_NAMES:,} different {which}; map a column that groups requests",
            )
        return record

    def _provider_of(self, model: str) -> str:
        if model not in self._providers:
            self._providers[model] = self._prices.provider_of(model) or UNKNOWN_PROVIDER
        return self._providers[model]


def _known_layout(columns: tuple[str, ...]) -> Layout:
    layout = find_layout(columns) or find_layout(tuple(column.casefold() for column in columns))
    if layout is not None:
        return layout
    if not columns:
        raise FileRefusedError("no_rows", "the file has no usage records in it")
    missing = tuple(field for field in REQUIRED_FIELDS if field not in {column.casefold() for column in columns})
    raise FileRefusedError(
        "unknown_columns",
        f"the columns ({listed(columns)}) are of no known kind of usage file; say which column is "
        f"{', '.join(missing)}, for example with the mapping time=TIMESTAMP input_tokens=ContextTokens model=gpt-4o",
        columns=columns,
        missing=missing,
    )
