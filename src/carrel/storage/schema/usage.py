"""The tables of usage imports and usage records."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, Float, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from carrel.storage.schema.tables import metadata

__all__ = ["usage_imports", "usage_records"]

usage_imports: Final = Table(
    "usage_imports",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("import_id", Text, nullable=False),
    # Counts a user's imports; stands for `import_id` in the records, of which there may be millions.
    Column("number", Integer, nullable=False),
    # `running`, `succeeded`, `failed`, `interrupted`, `removing`; records count only while it is `succeeded`.
    Column("state", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_imported", Integer, nullable=False),
    Column("rows_rejected", Integer, nullable=False),
    Column("rejected", JSON, nullable=False),
    Column("code", Text),
    Column("message", Text),
    Column("columns", JSON, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("finished_at", Text),
    PrimaryKeyConstraint("user_id", "import_id"),
    UniqueConstraint("user_id", "number"),
)

usage_records: Final = Table(
    "usage_records",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("import_number", Integer, nullable=False),
    # Counts the records of an import: the table is then appended to in the order of its key.
    Column("number", Integer, nullable=False),
    # Microseconds since 1970 UTC.
    Column("time", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("batch", Boolean, nullable=False),
    Column("latency_ms", Float),
    # Nano-dollars: whole numbers add up exactly, and a token may cost less than a micro-dollar.
    Column("cost", Integer),
    PrimaryKeyConstraint("user_id", "import_number", "number"),
    sqlite_with_rowid=False,
)
