"""Tests of carrel.audit.cacheable."""

from __future__ import annotations

import pytest

from carrel.audit.cacheable import cacheable_headers
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("r.headers['Cache-Control'] = 'public'", ["f"]),
        ("r.headers['Cache-Control'] = f'max-age={n}'", ["f"]),
        ("r.headers['Cache-Control'] = 'private, max-age=9'", []),
        ("r.headers['Cache-Control'] = 'public'; r.headers['Vary'] = 'Cookie'", []),
        ("return Response(headers={'Cache-Control': 's-maxage=9'})", ["f"]),
        ("r.headers['X-Other'] = 'public'", []),
    ],
)
def test_headers_that_let_caches_keep_a_response(statement: str, found: list[str]) -> None:
    code = f"def f(r, n):\n    {statement}\n"
    assert [function.name for function, _ in cacheable_headers(view(code))] == found
