"""Whether what is named after a user is who asks."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.askers import asker
from carrel.audit.conditions import IdentityParameter
from tests.audit.checking import view


def _asked(code: str, text: str) -> object:
    file = view(code)
    (function,) = (one for one in file.functions if one.name == "f")
    leaf = next(one for one in ast.walk(function.node) if isinstance(one, ast.expr) and ast.unparse(one) == text)
    return asker(file, leaf, function)


def test_a_parameter_is_who_asks_where_some_call_passes_that() -> None:
    told = (IdentityParameter("app.f", "user"),)
    assert _asked("def f(user):\n    return load(user.id)\n", "user.id") == told
    assert _asked("def f(user):\n    name = user.name\n    return load(name)\n", "user.name") == told


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("def f(request):\n    return load(request.user)\n", "request.user"),
        ("@app.get('/a')\ndef f(user_id: str):\n    return load(user_id)\n", "user_id"),
        ("from flask_login import current_user\ndef f():\n    return load(current_user.id)\n", "current_user.id"),
    ],
)
def test_what_a_framework_gives_is_who_asks(code: str, text: str) -> None:
    assert _asked(code, text) == ()


def test_what_is_said_of_each_row_is_anybodys() -> None:
    assert _asked("def f(self):\n    return [row.user_id for row in self.rows()]\n", "row.user_id") is None
