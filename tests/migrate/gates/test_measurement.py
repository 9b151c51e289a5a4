"""Several runs taken together."""

from __future__ import annotations

from carrel.migrate.gates.measurement import RunSpread, combined
from tests.migrate.gates.samples import measured


def test_a_spread_is_the_median_and_the_range():
    assert RunSpread.of([3.0, 1.0, 2.0]) == RunSpread(2.0, 1.0, 3.0)


def test_above_needs_the_factor_the_least_and_ranges_apart():
    one = RunSpread(1.0, 0.9, 1.1)
    assert RunSpread(1.3, 1.2, 1.4).above(one, 1.2, least=0.1)
    assert not RunSpread(1.3, 1.2, 1.4).above(one, 1.4, least=0.1)
    assert not RunSpread(1.3, 1.2, 1.4).above(one, 1.2, least=0.5)
    assert not RunSpread(1.3, 1.1, 1.4).above(one, 1.2, least=0.1)


def test_reports_are_combined_by_test_in_the_order_of_the_runs():
    assert combined([{"a": "p", "b": "f"}, {"a": "p"}, {"a": "s", "b": "p"}]) == {"a": "pps", "b": "f-p"}


def test_one_missing_report_makes_the_whole_worthless():
    assert combined([{"a": "p"}, None]) is None
    assert combined([]) is None
    assert combined([{}]) == {}


def test_tests_pass_or_are_unstable_by_all_runs():
    found = measured(tests={"a": "ppp", "b": "ppf", "c": "fff", "d": "p-p", "e": "sss"})
    assert found.passed == {"a"}
    assert found.unstable == {"b", "d"}
    assert measured().passed == frozenset()


def test_success_is_exit_code_0_each_time():
    assert measured().succeeded
    assert not measured(codes=(0, 1, 0)).succeeded
    assert not measured(timed_out=True).succeeded
