"""The tables of usage."""

from __future__ import annotations

from carrel.storage.schema import metadata
from carrel.storage.schema.usage import usage_imports, usage_records
from carrel.storage.usage import UsageRecord


def test_the_tables_are_on_the_metadata_that_migrations_compare() -> None:
    assert {usage_imports.name, usage_records.name} <= set(metadata.tables)


def test_a_record_has_a_column_for_each_of_its_fields() -> None:
    assert set(UsageRecord._fields) == set(usage_records.columns.keys()) - {"user_id", "import_number", "number"}


def test_tokens_and_money_are_whole_numbers() -> None:
    for name in ("time", "input_tokens", "cached_input_tokens", "output_tokens", "requests", "cost"):
        assert usage_records.columns[name].type.python_type is int
