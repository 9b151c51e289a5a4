"""Limits of single users, and how much is stored for each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__: list[str] = []

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Table, size of a row of it, and the column that the size follows.
COUNTED = (
    ("event_log", "100 + coalesce(length(CAST(ROW.body AS BLOB)), 0)", None),
    ("threads", "100 + coalesce(length(CAST(ROW.title AS BLOB)), 0)", "title"),
    (
        "runs",
        "100 + coalesce(length(CAST(ROW.input AS BLOB)), 0) + coalesce(length(CAST(ROW.output AS BLOB)), 0)",
        "output",
    ),
    ("messages", "100 + coalesce(length(CAST(ROW.text AS BLOB)), 0)", None),
    (
        "user_values",
        "100 + coalesce(length(CAST(ROW.key AS BLOB)), 0) + coalesce(length(CAST(ROW.value AS BLOB)), 0)",
        "value",
    ),
    ("usage_imports", "100 * (1 + ROW.rows_imported)", "rows_imported"),
)


def upgrade() -> None:
    """Bring the schema from `down_revision` to `revision`."""
    op.create_table(
        "user_limits",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("overrides", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_user_limits_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("change", name=op.f("pk_user_limits")),
        sa.UniqueConstraint("user_id", name=op.f("uq_user_limits_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "stored_bytes",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_stored_bytes")),
        sqlite_with_rowid=False,
    )
    sizes = " UNION ALL ".join(
        f"SELECT user_id, {size.replace('ROW.', '')} AS size FROM {table}"  # noqa: S608 - the constants above
        for table, size, _ in COUNTED
    )
    op.execute(
        f"INSERT INTO stored_bytes (user_id, bytes) SELECT user_id, sum(size) FROM ({sizes}) GROUP BY user_id"  # noqa: S608
    )
    for table, size, changing in COUNTED:
        _count(table, size.replace("ROW.", "NEW."), size.replace("ROW.", "OLD."), changing)


def _count(table: str, new: str, old: str, changing: str | None) -> None:
    op.execute(
        f"CREATE TRIGGER stored_{table}_added AFTER INSERT ON {table} BEGIN "  # noqa: S608 - constants of this module
        f"INSERT INTO stored_bytes (user_id, bytes) VALUES (NEW.user_id, {new}) "
        "ON CONFLICT (user_id) DO UPDATE SET bytes = bytes + excluded.bytes; END"
    )
    op.execute(
        f"CREATE TRIGGER stored_{table}_removed AFTER DELETE ON {table} BEGIN "  # noqa: S608
        f"UPDATE stored_bytes SET bytes = bytes - ({old}) WHERE user_id = OLD.user_id; END"
    )
    if changing is not None:
        op.execute(
            f"CREATE TRIGGER stored_{table}_changed AFTER UPDATE OF {changing} ON {table} BEGIN "  # noqa: S608
            f"UPDATE stored_bytes SET bytes = bytes + ({new}) - ({old}) WHERE user_id = NEW.user_id; END"
        )
