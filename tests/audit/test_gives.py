"""What functions give back that callers have to know of."""

from __future__ import annotations

import pytest

from carrel.audit.gives import given_back, gives_none
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("return request.headers.get('X-Tenant-Id') or request.args['tenant']", ("claimed",)),
        ("who = request.headers['X-Tenant-Id']\n    check(who, get_jwt()['tenants'])\n    return who", ()),
        ("return request.headers['Accept']", ()),
        ("return claims.get('sub', 'default')", ("stand-in",)),
        ("return ROOT / f'{kind}.xlsx'", ("fixed-path",)),
        ("return kind", ()),
    ],
)
def test_what_is_given_back(body: str, given: tuple[str, ...]) -> None:
    imports = "from pathlib import Path\nfrom flask import request\nfrom flask_jwt_extended import get_jwt\n"
    seen = view(f"{imports}ROOT = Path('/srv')\ndef f(claims, kind):\n    {body}\n")
    assert given_back(seen, seen.functions[0]) == given


@pytest.mark.parametrize(
    ("statement", "is_given"),
    [
        ("select id, owner_id, body from documents where id = $1", True),
        ("SELECT id, user_id FROM notes WHERE id = %s AND NOT deleted", True),
        ("select id, owner_id, body from documents where id = $1 and owner_id = $2", False),
        ("select id, body from documents where id = $1", False),
        ("select id, owner_id from documents where title = $1", False),
    ],
)
def test_a_row_that_is_anybodys(statement: str, *, is_given: bool) -> None:
    seen = view(f"async def by_id(pool, key):\n    return await pool.fetchrow({statement!r}, key)\n")
    assert ("anybodys-row" in given_back(seen, seen.functions[0])) is is_given


@pytest.mark.parametrize(
    ("body", "gives"),
    [
        ("if user: return user.id\n    return None", True),
        ("return getattr(user, 'id', None)", True),
        ("return user.id if user else None", True),
        ("return user.id", False),
        ("return None", False),
    ],
)
def test_nothing_in_some_cases(body: str, *, gives: bool) -> None:
    assert gives_none(view(f"def f(user):\n    {body}\n").functions[0]) is gives
