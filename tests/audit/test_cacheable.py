"""Tests of carrel.audit.cacheable."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.cacheable import cacheable_headers, given_headers, picked_addresses
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
        ("return {'cache-control': f'public, max-age={n}'}", ["f"]),
        ("if n:\n        return {'cache-control': 'public'}\n    return {'cache-control': 'no-store'}", []),
        ("r.cache_control.s_maxage = n", ["f"]),
        ("r.cache_control.s_maxage = 0", []),
        ("r.cache_control.max_age = n", []),
    ],
)
def test_headers_that_let_caches_keep_a_response(statement: str, found: list[str]) -> None:
    code = f"def f(r, n):\n    {statement}\n"
    assert [function.name for function, _ in cacheable_headers(view(code))] == found


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("if request.path.startswith('/own'):", ("/own",)),
        ("if request.url.path.startswith(('/own', '/all')):", ("/own", "/all")),
        ("for begun in TABLE:\n  if request.path.startswith(begun):", ("/own", "/all")),
        ("for begun, n in TABLE.items():\n  if request.path.startswith(begun):", ("/own", "/all")),
        ("for begun in ('/own',):\n  if request.path.startswith(begun):", ("/own",)),
        ("if not request.path.startswith('/own'):", ()),
        ("if request.path.startswith(begun):", ()),
        ("if request.user is None:\n  if request.path.startswith('/own'):", ()),
        ("if request.path.startswith('/own'): pass\n else:", ()),
        ("if request.path.startswith('/no'): r.headers['Cache-Control'] = 'private'\n if r.path.startswith('/a'):", ()),
    ],
)
def test_how_the_addresses_begin_of_what_caches_may_keep(test: str, found: tuple[str, ...]) -> None:
    store = "   r.headers['Cache-Control'] = 'public'"
    code = view(f"TABLE = {{'/own': 60, '/all': 9, '/none': 0}}\ndef f(r, request):\n {test}\n{store}\n")
    assert [picked_addresses(code, function, node) for function, node in cacheable_headers(code)] in ([found], [])
    assert not found or list(cacheable_headers(code))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("return Response(n, headers=kept(60))", ["kept(60)"]),
        ("extra = kept(60)\n    return Response(n, headers=extra)", ["kept(60)"]),
        ("return Response(n, headers={'etag': n, **kept(60)})", ["kept(60)"]),
        ("r.headers.update(edge.kept())", ["edge.kept()"]),
        ("r.state.update(kept())", []),
        ("return Response(n, headers={**kept(60), 'Cache-Control': 'no-store'})", []),
        ("r.headers['Vary'] = 'Cookie'\n    r.headers.update(kept())", []),
    ],
)
def test_headers_that_a_call_gives(statement: str, found: list[str]) -> None:
    code = view(f"def f(r, n):\n    {statement}\n")
    assert [ast.unparse(one) for one in given_headers(code, code.functions[0])] == found
