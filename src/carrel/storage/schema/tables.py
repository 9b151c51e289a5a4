"""The tables of accounts, threads, runs, values and the event log, on the metadata that every table shares.

Rows that belong to a user have `user_id` first in their keys and indexes, so that a query cannot be fast without
naming its user, and so that one user's id tells nothing about another's: `(user_id, thread_id)` is the key, not
`thread_id`. Times are RFC 3339 text, as on the wire, except where they are only compared (`REAL`, POSIX seconds).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "event_log",
    "log_state",
    "messages",
    "metadata",
    "open_runs",
    "refresh_tokens",
    "runs",
    "sessions",
    "threads",
    "user_values",
    "users",
]

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

users: Final = Table(
    "users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    # The name as it is compared: Unicode-normalised and case-folded, which SQLite's NOCASE does for ASCII only.
    Column("name_key", Text, nullable=False),
    Column("password_hash", Text),
    Column("permissions", JSON, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("demo", Boolean, nullable=False),
    Column("issuer", Text),
    Column("subject", Text),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("name_key"),
    UniqueConstraint("issuer", "subject"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Text, nullable=False),
    Column("revoked_at", Text),
    Index(None, "user_id"),
)

refresh_tokens: Final = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("session_id", Text, ForeignKey("sessions.session_id", ondelete="CASCADE"), nullable=False),
    Column("used", Boolean, nullable=False),
    Column("expires_at", Float, nullable=False),
    Index(None, "session_id"),
)

threads: Final = Table(
    "threads",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("thread_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "thread_id"),
    Index(None, "user_id", "updated_at", "thread_id"),
)

runs: Final = Table(
    "runs",
    metadata,
    # Orders runs by when they were recorded, whatever the clock did; never leaves the database.
    Column("position", Integer, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("thread_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("output", Text),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("usage", JSON, nullable=False),
    Column("idempotency_key", Text),
    # A rolled-back run shows no message, also when its answer comes after the rollback.
    Column("forgotten", Boolean, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("finished_at", Text),
    ForeignKeyConstraint(["user_id", "thread_id"], ["threads.user_id", "threads.thread_id"], ondelete="CASCADE"),
    UniqueConstraint("user_id", "run_id"),
    Index(None, "user_id", "idempotency_key", unique=True, sqlite_where=text("idempotency_key IS NOT NULL")),
    Index(None, "user_id", "thread_id", "position"),
    Index("ix_runs_open", "user_id", "thread_id", sqlite_where=text("finished_at IS NULL")),
)

messages: Final = Table(
    "messages",
    metadata,
    # Orders messages by when they were written, whatever the clock did; never leaves the database.
    Column("position", Integer, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("thread_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    ForeignKeyConstraint(["user_id", "thread_id"], ["threads.user_id", "threads.thread_id"], ondelete="CASCADE"),
    UniqueConstraint("user_id", "message_id"),
    Index(None, "user_id", "thread_id", "position"),
    Index(None, "user_id", "run_id"),
)

user_values: Final = Table(
    "user_values",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "key"),
    sqlite_with_rowid=False,
)

log_state: Final = Table(
    "log_state",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("top", Integer, nullable=False),
    Column("oldest", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# With row numbers: new events then lie together at the end of the table, and only the small index is touched in as
# many places as users are active. WITHOUT ROWID takes more than twice as long (docs/decisions/0022).
event_log: Final = Table(
    "event_log",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("offset", Integer, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("ends_run", Boolean, nullable=False),
    Column("appended_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("user_id", "offset"),
)

# Runs whose first event is in the log and whose last one is not, also those without a row in `runs`.
open_runs: Final = Table(
    "open_runs",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("first_offset", Integer, nullable=False),
    PrimaryKeyConstraint("user_id", "run_id"),
    sqlite_with_rowid=False,
)
