"""Tests of carrel.audit.asking."""

from __future__ import annotations

import pytest

from carrel.audit.asking import asks_request, asks_who
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("from flask import g\ndef f():\n    return g.user", 3),
        ("from flask import request\ndef f():\n    return request.headers.get('authorization')", 3),
        ("from flask import request\ndef f():\n    return request.method", 0),
        ("from flask_login import current_user\ndef f():\n    return current_user.id", 3),
        ("from flask_login import current_user\ndef f(pk, user=current_user):\n    return find(pk, user)", 2),
        ("from flask_login import current_user\ndef f(current_user):\n    return current_user.id", 0),
        ("from flask_jwt_extended import get_jwt\ndef f():\n    return get_jwt()", 3),
        ("from shop.auth import current_user\ndef f():\n    return current_user.id", 3),
        ("from shop.auth import current_user\ndef f(request):\n    return current_user(request).id", 0),
        ("from quart_auth import current_user\ndef f():\n    return current_user.auth_id", 3),
        ("from flask import g\ndef f():\n    return g.employee.number", 3),
        ("from flask import g\ndef f():\n    return g.page", 0),
        (
            "from flask import *\ndef k():\n    g.clinic = find(request.cookies['sid'])\ndef f():\n    return g.clinic",
            0,
        ),
        ("from flask import g\nimport jwt\ndef k(t):\n    g.clinic = jwt.decode(t)\ndef f():\n    return g.clinic", 6),
        ("from mine import g\ndef f():\n    return g.user", 0),
    ],
)
def test_where_a_function_asks(code: str, line: int) -> None:
    read = view(code)
    assert asks_who(read, read.functions[-1]) == line


@pytest.mark.parametrize(("call", "line"), [("holder_of(request)", 2), ("page_of(request)", 0)])
def test_a_function_that_gives_who_sent_the_request(call: str, line: int) -> None:
    read = view(f"async def show(request):\n    return await load(await {call})\n")
    assert asks_request(read, read.functions[0]) == line
