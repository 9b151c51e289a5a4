"""The trigger `failed_command`."""

from __future__ import annotations

from carrel.migrate.gates.failed_command import FailedCommandGate
from carrel.migrate.gates.measurement import Measurement
from tests.migrate.gates.samples import compared, measured


def reasons(before: Measurement, after: Measurement) -> list[str]:
    return [fired.message for fired in FailedCommandGate().judge(compared(before, after))]


def test_a_command_that_succeeded_and_fails_now_is_a_reason():
    assert reasons(measured(), measured(codes=(0, 2, 0))) == ["it succeeded before and exits with 0, 2, 0 now"]


def test_a_command_that_succeeds_still_is_none():
    assert reasons(measured(), measured()) == []


def test_a_command_that_failed_before_is_judged_by_its_tests_alone():
    assert reasons(measured(codes=(1, 1, 1), tests={"a": "fff"}), measured(codes=(1, 1, 1), tests={"a": "fff"})) == []


def test_a_report_that_is_missing_now_is_a_reason_although_the_command_failed_before():
    (reason,) = reasons(measured(codes=(1, 1, 1), tests={"a": "ppp"}), measured(codes=(3, 3, 3)))
    assert reason == "it exits with 3 and writes no test report any more"


def test_a_command_that_hangs_is_a_reason():
    (reason,) = reasons(measured(), measured(codes=(-9,), seconds=(30.0,), peaks=(1,), timed_out=True))
    assert reason == "it did not end within 30 s; before, it took 1.0 s"
