"""What the commands say."""

from __future__ import annotations

import pytest

from carrel.cli.migrate.outcomes import narrate, outcome_data, outcome_lines, rollback_lines
from carrel.migrate.gates.evidence import Comparison, Fired
from carrel.migrate.phase import PhaseApplied, PhaseReverted
from carrel.migrate.records import LeftFile, RollbackDone
from carrel.migrate.workspace import Mark, Proof
from tests.migrate.gates.samples import measured

PROOF = Proof(files=9, fingerprint="f" * 32, tree="a" * 40, restored=("x.py",), seconds=1.25)
MARK = Mark("0" * 40, "f" * 32)


def applied(**changes: object) -> PhaseApplied:
    values: dict[str, object] = {"phase": "p", "mark": MARK, "files": 2, "edits": 5, "left": (), "gated": True}
    return PhaseApplied(**{**values, **changes})  # type: ignore[arg-type]


def test_a_phase_that_stays_says_what_was_compared_and_what_is_left():
    comparison = Comparison(gate="suite", before=measured(tests={"a": "ppp"}), after=measured(tests={"a": "ppp"}))
    left = (LeftFile(path="a.py", reason="why"), LeftFile(path="b.py", line=3, reason="because", references=1))
    assert list(outcome_lines(applied(comparisons=(comparison,), notes=("it wavers",), left=left))) == [
        "phase p: kept; 5 edits in 2 files",
        "  suite: 1 tests pass, 1 before; 1.00 s (1.00 to 1.00), 1.00 s before (1.00 to 1.00); 100 MB, 100 MB before",
        "  note: it wavers",
        "  left for a person:",
        "    a.py: why",
        "    b.py:3: because",
    ]


def test_a_phase_without_gates_or_without_edits_says_so():
    assert list(outcome_lines(applied(gated=False)))[0] == (
        "phase p: written, and not judged by any gate; 5 edits in 2 files"
    )
    assert list(outcome_lines(applied(files=0))) == ["phase p: nothing to edit"]


def test_a_phase_that_was_taken_back_says_why_and_how_it_is_proved():
    lost = tuple(f"t.py::test_{number}: fails" for number in range(22))
    fired = (Fired(trigger="failed_test", gate="suite", message="22 are lost", details=lost),)
    first, why, *details, more, proof = outcome_lines(PhaseReverted(phase="p", fired=fired, proof=PROOF))
    assert first == "phase p: TAKEN BACK"
    assert why == "  failed_test, gate suite: 22 are lost"
    assert details == [f"    {line}" for line in lost[:20]]
    assert more == "    ... and 2 more; --format json lists them all"
    assert (
        proof
        == "  1 file put back in 1.2 s; all 9 files read again: fingerprint ffffffffffff, tree aaaaaaaaaaaa, as before"
    )


def test_what_is_different_kept_or_set_aside_is_said():
    proof = Proof(files=9, fingerprint="f" * 32, foreign=("log.txt",), saved="/aside/1", kept="refs/carrel/x/1")
    lines = list(rollback_lines(RollbackDone(to="p", mark=MARK, proof=proof)))
    assert lines[0] == "taken back to the end of phase p"
    assert not lines[1].endswith("as before")
    assert lines[2:] == [
        "  what was taken back can be seen with: git log refs/carrel/x/1",
        "  changes that were not the migration's are kept in /aside/1",
        "  different from before, and never written by the migration:",
        "    log.txt",
    ]


def test_data_says_which_outcome_it_is():
    assert outcome_data(applied())["outcome"] == "applied"
    data = outcome_data(PhaseReverted(phase="p", fired=(), proof=PROOF))
    assert data["outcome"] == "taken back"
    assert data["proof"]["restored"] == ("x.py",)


def test_steps_are_told_on_terminals_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    narrate("quiet")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    narrate("loud")
    assert capsys.readouterr().err == "loud\n"
