"""The tables of frameworks agree with each other."""

from __future__ import annotations

from carrel.audit.frameworks import AMBIGUOUS, DECORATED, HANDLER_BASES, REGISTERED, REQUEST_CALLS, REQUEST_OBJECTS


def test_what_is_ambiguous_is_in_the_table() -> None:
    assert set(DECORATED) >= AMBIGUOUS


def test_a_registration_says_where_the_function_is() -> None:
    assert all(row.position >= 0 or row.keywords for row in REGISTERED.values())


def test_names_are_those_that_the_rules_compare_with() -> None:
    assert all("." in name for name in REQUEST_OBJECTS | REQUEST_CALLS)
    assert all("." not in name for name in (*DECORATED, *REGISTERED, *HANDLER_BASES))
