"""Tests of carrel.audit.context_values."""

from __future__ import annotations

import pytest

from carrel.audit.context_values import context_flags, shared_contexts
from tests.audit.checking import view

HEAD = "from contextvars import ContextVar\n"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("a = ContextVar('a', default={})", (("app.a", 2),)),
        ("a = ContextVar('a')\na.set([])", (("app.a", 3),)),
        ("class S: ...\na = ContextVar('a', default=S())", (("app.a", 3),)),
        ("a = ContextVar('a', default=None)", ()),
        ("a = ContextVar('a')\ndef f():\n    a.set({})", ()),
    ],
)
def test_values_that_are_the_same_in_every_context(code: str, found: tuple[tuple[str, int], ...]) -> None:
    assert shared_contexts(view(HEAD + code)) == found


def test_variables_that_only_say_yes_or_no() -> None:
    code = "a = ContextVar('a', default=False)\nis_admin = ContextVar('b', default=False)\nc = ContextVar('c')\n"
    assert context_flags(view(HEAD + code)) == ("app.a",)
