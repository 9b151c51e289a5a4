"""What functions give back that callers have to know of."""

from __future__ import annotations

import pytest

from carrel.audit.gives import given_back
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
    head = "from pathlib import Path\nfrom flask import request\nfrom flask_jwt_extended import get_jwt\nROOT = Path('/srv')\n"
    seen = view(f"{head}def f(claims, kind):\n    {body}\n")
    assert given_back(seen, seen.functions[0]) == given
