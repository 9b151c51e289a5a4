"""The tables of what single users may use, and of how much is stored for each; the latter is kept by triggers."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, JSON, Column, ForeignKey, Integer, Table, Text, event

from carrel.storage.schema.tables import metadata

__all__ = ["ROW_BYTES", "TRIGGERS", "stored_bytes", "user_limits"]

ROW_BYTES: Final = 100
"""What a row counts as beside its text: about what its ids, its times and the indexes take."""

user_limits: Final = Table(
    "user_limits",
    metadata,
    # Counts changes and is never used twice: who has read up to one knows all that came before it.
    Column("change", Integer, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False, unique=True),
    # By name, the limits that are other than everybody's.
    Column("overrides", JSON, nullable=False),
    sqlite_autoincrement=True,
)

stored_bytes: Final = Table(
    "stored_bytes",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("bytes", Integer, nullable=False),
    sqlite_with_rowid=False,
)


def _texts(*columns: str) -> str:
    # `length` of a text counts characters; of a BLOB, bytes.
    return " + ".join([str(ROW_BYTES), *(f"coalesce(length(CAST(ROW.{name} AS BLOB)), 0)" for name in columns)])


def _triggers(table: str, size: str, *, changing: str | None = None) -> tuple[str, ...]:
    """Triggers that count each ROW of a table by its size, which follows the column `changing`."""
    new, old = size.replace("ROW.", "NEW."), size.replace("ROW.", "OLD.")
    added = (
        f"CREATE TRIGGER stored_{table}_added AFTER INSERT ON {table} BEGIN "  # noqa: S608 - constants of this module
        f"INSERT INTO stored_bytes (user_id, bytes) VALUES (NEW.user_id, {new}) "
        "ON CONFLICT (user_id) DO UPDATE SET bytes = bytes + excluded.bytes; END"
    )
    removed = (
        f"CREATE TRIGGER stored_{table}_removed AFTER DELETE ON {table} BEGIN "  # noqa: S608
        f"UPDATE stored_bytes SET bytes = bytes - ({old}) WHERE user_id = OLD.user_id; END"
    )
    if changing is None:
        return added, removed
    changed = (
        f"CREATE TRIGGER stored_{table}_changed AFTER UPDATE OF {changing} ON {table} BEGIN "  # noqa: S608
        f"UPDATE stored_bytes SET bytes = bytes + ({new}) - ({old}) WHERE user_id = NEW.user_id; END"
    )
    return added, removed, changed


TRIGGERS: Final = (
    *_triggers("event_log", _texts("body")),
    *_triggers("threads", _texts("title"), changing="title"),
    *_triggers("runs", _texts("input", "output"), changing="output"),
    *_triggers("messages", _texts("text")),
    *_triggers("user_values", _texts("key", "value"), changing="value"),
    # Its records count by their number: one trigger for thousands of them.
    *_triggers("usage_imports", f"{ROW_BYTES} * (1 + ROW.rows_imported)", changing="rows_imported"),
)
"""Keep `stored_bytes` true whoever writes and however, also what a foreign key deletes (docs/decisions/0081)."""

for _trigger in TRIGGERS:
    event.listen(metadata, "after_create", DDL(_trigger))  # type: ignore[no-untyped-call]  # SQLAlchemy says no types for it
