"""Where a migration stands after any number of records."""

from __future__ import annotations

from carrel.migrate.history import History
from carrel.migrate.records import PhaseKept, PhaseStarted, PhaseWritten, Record, RollbackDone
from tests.migrate.records import (
    BASELINE,
    CONDEMNED,
    FIRST,
    KEPT,
    MEASURED,
    OPENED,
    OPENING,
    PROOF,
    ROLLED_BACK,
    ROLLING_BACK,
    SECOND,
    STARTED,
    TAKEN_BACK,
    WRITING,
    WRITTEN,
)

SECOND_PHASE: tuple[Record, ...] = (
    PhaseStarted(phase="second", mark=FIRST, gated=False),
    PhaseWritten(phase="second", mark=SECOND, files=1, edits=1),
    PhaseKept(phase="second", mark=SECOND),
)
FIRST_PHASE: tuple[Record, ...] = (OPENING, OPENED, BASELINE, STARTED, WRITING, WRITTEN, MEASURED, KEPT)


def test_nothing_has_happened():
    history = History.of(())
    assert (history.opening, history.open, history.rollback, history.over, history.applied) == (
        None,
        None,
        None,
        None,
        [],
    )


def test_a_phase_is_open_until_it_is_kept_or_taken_back():
    history = History.of(FIRST_PHASE[:-1])
    assert history.open is not None
    assert (history.open.name, history.open.writing, history.open.written) == ("first", WRITING, WRITTEN)
    assert history.open.measured == {"g": MEASURED.measurement}
    assert not history.is_applied("first")
    history = History.of(FIRST_PHASE)
    assert history.open is None
    assert history.is_applied("first")
    assert history.baseline == {"g": BASELINE}


def test_a_phase_that_was_taken_back_is_not_applied():
    history = History.of((*FIRST_PHASE[:-1], CONDEMNED, TAKEN_BACK))
    assert history.open is None
    assert not history.applied
    assert history.taken_back == [TAKEN_BACK]


def test_an_unfinished_rollback_is_known():
    assert History.of((*FIRST_PHASE, ROLLING_BACK)).rollback == ROLLING_BACK


def test_a_rollback_to_a_phase_keeps_it_and_what_is_before():
    history = History.of((*FIRST_PHASE, *SECOND_PHASE, RollbackDone(to="first", mark=FIRST, proof=PROOF)))
    assert [one.name for one in history.applied] == ["first"]
    assert history.over is None


def test_a_rollback_of_everything_is_the_end():
    history = History.of((*FIRST_PHASE, ROLLING_BACK, ROLLED_BACK))
    assert history.over == ROLLED_BACK
    assert history.rollback is None
