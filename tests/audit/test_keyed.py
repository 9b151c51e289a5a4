"""Where something that stays is read or written under a key."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.keyed import is_there, keyed, only_ends
from tests.audit.checking import view


def keys(statement: str) -> list[str]:
    seen = view(f"import os\nKEPT = {{}}\nclass C:\n    def f(self, cache, key, rows):\n        {statement}\n")
    function = next(one for one in seen.functions if one.name == "f")
    return [ast.unparse(use.key) for use in keyed(seen, function)]


@pytest.mark.parametrize(
    "statement",
    [
        "KEPT[key] = 1",
        "return KEPT.get(key)",
        "self.kept.pop(key)",
        "cache.set(key, 1)",
        "self.redis_client.hget(key, 'x')",
    ],
)
def test_uses_of_a_key(statement: str) -> None:
    assert keys(statement) == ["key"]


@pytest.mark.parametrize(
    "statement",
    ["KEPT['fixed'] = 1", "return rows[key]", "local = {}; local[key] = 1", "os.environ[key] = 'x'", "return KEPT[1:2]",
     "self.run(key)", "return rows.get(key)", "return make()[key]", "return os.get(key)"],
)  # fmt: skip
def test_what_is_none(statement: str) -> None:
    assert keys(statement) == []


@pytest.mark.parametrize(
    ("statement", "ends", "there"),
    [
        ("cache.delete(key)", True, False),
        ("self.run(lambda: cache.delete(key))", True, False),
        ("del KEPT[key]", True, False),
        ("return KEPT[key] == 1", True, False),
        ("cache.get(key)", False, False),
        ("if key: KEPT[key] = 1", False, True),
        ("if key or rows: KEPT[key] = 1", False, False),
    ],
)
def test_what_gives_nobody_anything(statement: str, *, ends: bool, there: bool) -> None:
    seen = view(f"KEPT = {{}}\nclass C:\n    def f(self, cache, key, rows):\n        {statement}\n")
    (use,) = keyed(seen, next(one for one in seen.functions if one.name == "f"))
    assert (only_ends(seen, use), is_there(seen, use)) == (ends, there)


def test_what_a_library_of_stores_makes_is_one_whatever_its_name() -> None:
    head = "import redis.asyncio as redis\nimport web\nlink = {}.Redis()\n"
    text = head + "async def f(key):\n    await link.lrange(key, 0, 9)\n"
    for made, known in (("redis", ["key"]), ("web", [])):
        seen = view(text.format(made))
        assert [ast.unparse(use.key) for use in keyed(seen, seen.functions[0])] == known
