"""Where something that stays is read or written under a key."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.keyed import keyed
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
