"""Finds the runs that the end of a process left open, and how the grammar closes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from carrel.context import RequestId, UserContext, UserId, new_id
from carrel.errors import GrammarError
from carrel.events import EventDraft, RunGrammar, decode_event

__all__ = ["InterruptedRun", "interrupted_runs"]

_MESSAGE: Final = "the server stopped before the run was over; ask again"
_BEGUN: Final = "SELECT user_id, run_id, first_offset FROM open_runs ORDER BY user_id, first_offset"
_BODIES: Final = "SELECT body FROM event_log WHERE user_id = ? AND offset >= ? AND run_id = ? ORDER BY offset"
_INPUT: Final = "SELECT input FROM runs WHERE user_id = ? AND run_id = ?"
_UNHEARD_OF: Final = """
SELECT user_id, thread_id, run_id, request_id, agent, input FROM runs
WHERE finished_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM open_runs WHERE open_runs.user_id = runs.user_id AND open_runs.run_id = runs.run_id
)
ORDER BY user_id, thread_id, position
"""


class InterruptedRun(NamedTuple):
    """A run that nobody is working on any more."""

    context: UserContext
    drafts: Sequence[EventDraft]
    """What completes its grammar."""


def interrupted_runs(connection: sqlite3.Connection) -> Sequence[InterruptedRun]:
    """Every run that is not over: those begun in the log, also without a row in `runs`, and those only queued."""
    begun = [_begun(connection, *row) for row in connection.execute(_BEGUN).fetchall()]
    return [*begun, *(_never_started(*row) for row in connection.execute(_UNHEARD_OF))]


def _begun(connection: sqlite3.Connection, user_id: str, run_id: str, first_offset: int) -> InterruptedRun:
    grammar = RunGrammar()
    events = [decode_event(body) for (body,) in connection.execute(_BODIES, (user_id, first_offset, run_id))]
    for event in events:
        # A log that a faulty writer left is closed as far as the grammar understands it.
        with suppress(GrammarError):
            grammar.accept(event)
    drafts = grammar.closing("interrupted", "interrupted", _MESSAGE)
    if drafts:
        return InterruptedRun(_context(user_id), drafts)
    row = connection.execute(_INPUT, (user_id, run_id)).fetchone()
    queued = events[0]
    return _never_started(user_id, queued.thread_id, run_id, queued.request_id, queued.agent, row[0] if row else "")


def _never_started(
    user_id: str, thread_id: str, run_id: str, request_id: str, agent: str, input: str
) -> InterruptedRun:
    started = EventDraft(
        type="agent_started",
        event_id=new_id(),
        user_id=user_id,
        thread_id=thread_id,
        run_id=run_id,
        request_id=request_id,
        parent_request_id=None,
        agent=agent,
        data={"input": input},
    )
    grammar = RunGrammar()
    grammar.accept(started)
    return InterruptedRun(_context(user_id), [started, *grammar.closing("interrupted", "interrupted", _MESSAGE)])


def _context(user_id: str) -> UserContext:
    return UserContext(user_id=UserId(user_id), request_id=RequestId(new_id()))
