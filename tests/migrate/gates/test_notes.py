"""What could not be judged."""

from __future__ import annotations

from carrel.migrate.gates.evidence import PhaseEvidence
from carrel.migrate.gates.measurement import Measurement
from carrel.migrate.gates.notes import notes
from carrel.migrate.recipe import Gates
from tests.migrate.gates.samples import compared, measured


def said(before: Measurement, after: Measurement) -> list[str]:
    return list(notes(compared(before, after)))


def test_nothing_is_said_when_everything_was_judged():
    assert said(measured(tests={"a": "ppp", "b": "sss"}), measured(tests={"a": "ppp"})) == []


def test_tests_that_failed_or_wavered_before_are_named():
    before = measured(tests={"a": "pfp", "b": "fff", "c": "fff", "d": "fff", "e": "fff"})
    unstable, failing = said(before, measured(tests={}))
    assert unstable == "suite: not judged, because they passed only now and then before: a"
    assert failing == "suite: not judged, because they failed before too: b, c, d and 1 more"


def test_an_exit_code_that_wavered_before_is_said():
    (line,) = said(measured(codes=(0, 1, 0)), measured())
    assert line.startswith("suite: its exit code was not judged")


def test_a_comparison_of_single_runs_is_said():
    one = measured(codes=(0,), seconds=(1.0,), peaks=(1,))
    (line,) = said(one, measured())
    assert line == "suite: time and memory were compared from one run; more `runs` would show the noise"


def test_a_phase_without_gate_commands_is_said():
    assert list(notes(PhaseEvidence(settings=Gates()))) == [
        "no gate command was run: the recipe has none for this phase"
    ]
