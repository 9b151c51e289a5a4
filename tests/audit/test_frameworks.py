"""The tables of frameworks agree with each other."""

from __future__ import annotations

import pytest

from carrel.audit.frameworks import AMBIGUOUS, DECORATED, REGISTERED, REQUEST_CALLS, REQUEST_OBJECTS, handling


def test_what_is_ambiguous_is_in_the_table() -> None:
    assert set(DECORATED) >= AMBIGUOUS


def test_a_registration_says_where_the_function_is() -> None:
    assert all(row.position >= 0 or row.keywords for row in REGISTERED.values())


def test_names_are_those_that_the_rules_compare_with() -> None:
    assert all("." in name for name in REQUEST_OBJECTS | REQUEST_CALLS)
    assert all("." not in name for name in (*DECORATED, *REGISTERED))


@pytest.mark.parametrize(
    ("base", "method"),
    [("app.View", "dispatch"), ("rest_framework.views.APIView", "initial"), ("socketio.Namespace", "on_*"), ("Q", "")],
)
def test_what_calls_the_methods_of_a_class(base: str, method: str) -> None:
    found = handling(base)
    assert (found is None) is (not method)
    assert found is None or method in found[1]
