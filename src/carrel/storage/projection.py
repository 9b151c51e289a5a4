"""What runs and threads show of the event log, written in the transaction that appends the events."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from carrel.context import new_id
from carrel.events import EventDraft

__all__ = ["Projection"]

_OPENED: Final = "INSERT OR IGNORE INTO open_runs (user_id, run_id, first_offset) VALUES (?, ?, ?)"
_STARTED: Final = "UPDATE runs SET state = 'running' WHERE user_id = ? AND run_id = ? AND finished_at IS NULL"
_CLOSED: Final = "DELETE FROM open_runs WHERE user_id = ? AND run_id = ?"
_FINISHED: Final = """
UPDATE runs SET state = ?, output = ?, error_code = ?, error_message = ?, usage = ?, finished_at = ?
WHERE user_id = ? AND run_id = ? AND finished_at IS NULL
"""
# Only for runs that a user started (an import has no row in `runs`) and did not take back.
_ANSWERED: Final = """
INSERT INTO messages (user_id, message_id, thread_id, run_id, role, text, created_at)
SELECT user_id, ?, thread_id, run_id, 'assistant', ?, ? FROM runs WHERE user_id = ? AND run_id = ? AND NOT forgotten
"""
_TOUCHED: Final = """
UPDATE threads SET updated_at = ?
WHERE user_id = ? AND thread_id = (SELECT thread_id FROM runs WHERE user_id = ? AND run_id = ? AND NOT forgotten)
"""


@dataclass(slots=True)
class Projection:
    """Collects what a group of events changes, then writes it in order of kind.

    The kinds never meet in one run except in this order: a run is opened, started, finished.
    """

    opened: list[tuple[str, str, int]] = field(default_factory=list)
    started: list[tuple[str, str]] = field(default_factory=list)
    finished: list[tuple[Any, ...]] = field(default_factory=list)
    answered: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    closed: list[tuple[str, str]] = field(default_factory=list)

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
        if self.opened:
            connection.executemany(_OPENED, self.opened)
        if self.started:
            connection.executemany(_STARTED, self.started)
        if self.closed:
            connection.executemany(_CLOSED, self.closed)
            connection.executemany(_FINISHED, self.finished)
        if self.answered:
            connection.executemany(_ANSWERED, self.answered)
            connection.executemany(_TOUCHED, [(at, user, user, run) for _, _, at, user, run in self.answered])

    def _finish(self, run: tuple[str, str], data: Mapping[str, Any], created_at: str) -> None:
        output, error, usage = data.get("output"), data.get("error"), data.get("usage")
        if not isinstance(error, Mapping):
            error = {}
        self.closed.append(run)
        self.finished.append(
            (
                str(data.get("status", "failed")),
                output if isinstance(output, str) else None,
                _text(error.get("code")),
                _text(error.get("message")),
                msgspec.json.encode(usage).decode() if isinstance(usage, Mapping) else "{}",
                created_at,
                *run,
            )
        )
        if isinstance(output, str) and output:
            self.answered.append((new_id(), output, created_at, *run))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
