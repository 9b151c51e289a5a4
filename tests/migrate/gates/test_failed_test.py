"""The trigger `failed_test`."""

from __future__ import annotations

import pytest

from carrel.migrate.gates.failed_test import FailedTestGate
from tests.migrate.gates.samples import compared, measured


def lost(before: str, after: str | None) -> tuple[str, ...]:
    tests = {} if after is None else {"t.py::test_a": after}
    evidence = compared(measured(tests={"t.py::test_a": before}), measured(tests=tests))
    return tuple(line for fired in FailedTestGate().judge(evidence) for line in fired.details)


@pytest.mark.parametrize(
    ("after", "what"),
    [
        ("fff", "fails"),
        ("pfp", "fails in 1 of 3 runs"),
        ("sss", "is skipped"),
        ("p-p", "is no longer there in 1 of 3 runs"),
        (None, "is no longer there"),
    ],
)
def test_a_test_that_passed_is_lost(after: str | None, what: str):
    assert lost("ppp", after) == (f"t.py::test_a: {what}",)


@pytest.mark.parametrize("before", ["fff", "ppf", "sss", "pp-"])
@pytest.mark.parametrize("after", ["ppp", "fff", "sss", None])
def test_a_test_that_did_not_pass_each_time_before_is_not_judged(before: str, after: str | None):
    assert lost(before, after) == ()


def test_a_test_that_passes_still_or_is_new_is_no_reason():
    evidence = compared(measured(tests={"a": "ppp"}), measured(tests={"a": "ppp", "b": "fff"}))
    assert list(FailedTestGate().judge(evidence)) == []


def test_the_reason_counts_and_names_the_command():
    evidence = compared(measured(tests={"a": "ppp", "b": "ppp"}), measured(tests={"a": "ppp"}))
    (fired,) = FailedTestGate().judge(evidence)
    assert (fired.trigger, fired.gate) == ("failed_test", "suite")
    assert fired.message == "1 of 2 tests that passed before do not now"


@pytest.mark.parametrize(("before", "after"), [(None, {"a": "fff"}), ({"a": "ppp"}, None)])
def test_without_a_report_nothing_is_said_of_tests(before: dict[str, str] | None, after: dict[str, str] | None):
    assert list(FailedTestGate().judge(compared(measured(tests=before), measured(tests=after)))) == []
