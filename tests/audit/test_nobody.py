"""What stands for those who have no identity."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.nobody import counts_only, gives_stand_in, key_names, keyed_parameters, names_session, stand_ins
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("user.id if user else 'all'", "'all'"),
        ("claims.get('sub') or 'anonymous'", "'anonymous'"),
        ("claims.get('sub', 'default')", "'default'"),
        ("f'history:{user_id or \"nobody\"}'", "'nobody'"),
        ("getattr(user, 'id', 'x')", "'x'"),
        ("settings.get('sub', 'x')", ""),
        ("settings.get('colour') or 'red'", ""),
        ("user_id", ""),
        ("user_id or '/users/me'", ""),
        ("(user_id, claims.get('sub', 'default'))", ""),
        ('f\'{user.tenant_id}:{claims.get("sub", "default")}\'', ""),
        ('f\'{settings.colour}:{claims.get("sub", "default")}\'', "'default'"),
    ],
)
def test_a_key_for_everybody_without_identity(key: str, text: str) -> None:
    seen = view(f"def f(user, user_id, claims, settings):\n    return {key}\n")
    (function,) = seen.functions
    returned = next(function.nodes(ast.Return)).value
    assert returned is not None
    found = list(stand_ins(seen, returned, function))
    assert [one for _, one in found] == ([f"`{text}`"] if text else [])
    assert gives_stand_in(seen, function) is bool(text)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("await redis.lrange(f'history:{user_id}', 0, -1)", ("user_id",)),
        ("key = f'history:{request.state.user_id}'\n    await redis.get(key)", ("user_id",)),
        ("await redis.get(f'{limit}')", ()),
        ("await redis.get(request.state.traveller)", ("traveller",)),
        ("await metrics_cache.get(user_id)", ()),
    ],
)
def test_what_keys_are_made_of(body: str, names: tuple[str, ...]) -> None:
    seen = view(f"redis = metrics_cache = Redis()\nasync def f(request, user_id, limit):\n    {body}\n")
    assert key_names(seen, seen.functions[0]) == names


def test_names() -> None:
    assert counts_only("rate_limiter")
    assert not counts_only("history")
    assert names_session("thread_id")
    assert not names_session("thread_count")


@pytest.mark.parametrize(
    ("body", "is_missing"),
    [
        ("return f'shelf:{payload.get(\"guild_id\")}'", True),
        ("return 'shelf:%s' % payload.get('guild_id', None)", True),
        ("return 'shelf:' + request.headers.get('x-tenant')", True),
        ("who = request.headers.get('x-tenant')\n    return f'shelf:{who}'", True),
        ("return f'shelf:{payload[\"guild_id\"]}'", False),
        ("return f'shelf:{payload.get(\"guild_id\", 0)}'", False),
        ("return f'shelf:{payload.get(\"colour\")}'", False),
        ("return f'shelf:{shelves.get(\"guild_id\")}'", False),
        ("return payload.get('guild_id')", False),
        ('return f\'shelf:{payload.get("guild_id") or payload["user"]}\'', False),
        ("who = request.headers.get('x-tenant')\n    if not who:\n        raise E\n    return f'shelf:{who}'", False),
        ("who = payload.get('guild_id')\n    who = who or own(payload)\n    return f'shelf:{who}'", False),
        ("if 'guild_id' not in payload:\n        raise E\n    return f'shelf:{payload.get(\"guild_id\")}'", False),
    ],
)
def test_a_part_of_a_text_that_may_be_missing(body: str, *, is_missing: bool) -> None:
    seen = view(f"def shelf(payload, request, shelves):\n    {body}\n")
    assert gives_stand_in(seen, seen.functions[0]) is is_missing


def test_the_parameters_that_keys_are_made_of() -> None:
    seen = view("redis = Redis()\nclass Notes:\n  def load(self, key, size):\n    redis.lrange(f'n:{key}', 0, size)\n"
                "  def put(self, whose, note):\n    self._kept[whose] = note\n")  # fmt: skip
    assert [keyed_parameters(seen, one) for one in seen.functions] == [(("key", False),), (("whose", True),)]


def test_a_key_that_says_besides_whose_it_is_hands_on_no_session() -> None:
    seen = view("KEPT = {}\ndef keep(organization_id, session_id):\n    KEPT[organization_id, session_id] = 1\n")
    assert [keyed_parameters(seen, one) for one in seen.functions] == [(("organization_id", False),)]


@pytest.mark.parametrize(
    ("use", "is_kept"),
    [("cache.set(whose, 1)", True), ("cache.delete(whose)", False), ("if whose: KEPT[whose]", False)],
)
def test_what_only_ends_or_is_left_out_keeps_nothing(use: str, *, is_kept: bool) -> None:
    (function,) = (seen := view(f"KEPT = {{}}\ndef f(whose):\n    {use}\n")).functions
    assert bool(keyed_parameters(seen, function)) is is_kept
