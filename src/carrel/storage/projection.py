"""What runs and threads show of the event log, written in the transaction that appends the events."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from carrel.context import new_id
from carrel.events import EventDraft
from carrel.storage.many_rows import execute_rows

__all__ = ["Projection"]

_OPENED: Final = "INSERT OR IGNORE INTO open_runs (user_id, run_id, first_offset) VALUES"
_STARTED: Final = "UPDATE runs SET state = 'running' FROM (VALUES"
# One by one: for several at once SQLite would look through every open run.
_CLOSED: Final = "DELETE FROM open_runs WHERE user_id = ? AND run_id = ?"
_FINISHED: Final = """
UPDATE runs SET state = column3, output = column4, error_code = column5, error_message = column6, usage = column7,
    finished_at = column8
FROM (VALUES"""
_BY_RUN: Final = ") WHERE user_id = column1 AND run_id = column2 AND finished_at IS NULL"
# Only for runs that a user started (an import has no row in `runs`) and did not take back.
_ANSWERED: Final = """
INSERT INTO messages (user_id, message_id, thread_id, run_id, role, text, created_at)
SELECT user_id, column3, thread_id, run_id, 'assistant', column4, column5 FROM (VALUES"""
_BY_KEPT_RUN: Final = ") CROSS JOIN runs ON user_id = column1 AND run_id = column2 WHERE NOT forgotten"
_TOUCHED: Final = """
WITH touched AS MATERIALIZED (SELECT user_id AS owner, thread_id AS thread, column3 AS at FROM (VALUES"""
_THREADS: Final = """) CROSS JOIN runs ON user_id = column1 AND run_id = column2 WHERE NOT forgotten)
UPDATE threads SET updated_at = at FROM touched WHERE user_id = owner AND thread_id = thread"""

_Run = tuple[str, str]


@dataclass(slots=True)
class Projection:
    """Collects what a group of events changes, then writes it in order of kind.

    The kinds never meet in one run except in this order: a run is opened, started, finished.
    """

    opened: list[tuple[str, str, int]] = field(default_factory=list)
    started: list[_Run] = field(default_factory=list)
    finished: dict[_Run, tuple[Any, ...]] = field(default_factory=dict)
    answered: dict[_Run, tuple[str, str, str]] = field(default_factory=dict)

    def add(self, draft: EventDraft, offset: int, created_at: str) -> None:
        """Take the next event; sub-agents' events and everything in the middle of a run change nothing.

        Never raises for data of an unexpected shape: a run must be able to end whatever an agent put into its event.
        """
        if draft.parent_request_id is not None:
            return
        run = (draft.user_id, draft.run_id)
        if draft.type == "run_queued":
            self.opened.append((*run, offset))
        elif draft.type == "agent_started":
            self.opened.append((*run, offset))
            self.started.append(run)
        elif draft.type == "agent_completed":
            self._finish(run, draft.data, created_at)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what was collected, inside the caller's transaction."""
        execute_rows(connection, self.opened, _OPENED)
        execute_rows(connection, self.started, _STARTED, _BY_RUN)
        connection.executemany(_CLOSED, self.finished)
        execute_rows(connection, [(*run, *values) for run, values in self.finished.items()], _FINISHED, _BY_RUN)
        execute_rows(connection, [(*run, *values) for run, values in self.answered.items()], _ANSWERED, _BY_KEPT_RUN)
        touched = [(*run, created_at) for run, (_, _, created_at) in self.answered.items()]
        execute_rows(connection, touched, _TOUCHED, _THREADS)

    def _finish(self, run: _Run, data: Mapping[str, Any], created_at: str) -> None:
        output, error, usage = data.get("output"), data.get("error"), data.get("usage")
        if not isinstance(error, Mapping):
            error = {}
        # The first end counts.
        self.finished.setdefault(
            run,
            (
                str(data.get("status", "failed")),
                output if isinstance(output, str) else None,
                _text(error.get("code")),
                _text(error.get("message")),
                msgspec.json.encode(usage).decode() if isinstance(usage, Mapping) else "{}",
                created_at,
            ),
        )
        if isinstance(output, str) and output:
            self.answered.setdefault(run, (new_id(), output, created_at))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
