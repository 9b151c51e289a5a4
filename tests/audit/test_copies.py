"""Copies and namesakes."""

from __future__ import annotations

import pytest

from carrel.audit.copies import are_copies, spread, stand_side_by_side
from carrel.audit.roles import roles
from tests.audit.checking import program

WORK = """
    def {method}(self, key):
        row = self.rows.pop(key)
        self.log.info(row.name)
        return row.value

    def keep(self, key, value):
        if key in self.rows:
            raise KeyError(key)
        self.rows[key] = Row(key, value)
        self.log.info(key)
        return self.rows[key].number

    def drop(self, key):
        self.rows.pop(key, None)
        self.log.debug("dropped %s", key)

    def clear(self, before):
        for key, row in list(self.rows.items()):
            if row.number < before:
                self.rows.pop(key)
"""


def store(head: str = "class ShopStore:", method: str = "take") -> str:
    return head + WORK.replace("{method}", method)


def copied(sources: dict[str, str]) -> bool:
    everything = program(sources)
    one, other = (role for role in roles(everything) if role.name == "ShopStore")
    found = are_copies(everything, one, other)
    assert are_copies(everything, other, one) == found
    return found


def test_the_same_lines_in_two_places() -> None:
    assert copied({"a.py": store(), "b.py": store()})
    assert copied({"a.py": store("class ShopStore(View):"), "b.py": store("class ShopStore(View):")})


def test_a_copy_that_was_repaired_since() -> None:
    repaired = store().replace("row = self.rows.pop(key)", "row = self.rows.pop((self.user, key))")
    repaired = repaired.replace("raise KeyError(key)", "raise RowError(self.user, key)")
    assert copied({"a.py": store(), "b.py": repaired})


def test_the_same_interface_over_other_lines() -> None:
    other = store().replace("rows", "lines").replace("log", "report")
    assert not copied({"a.py": store(), "b.py": other})


def test_a_few_lines() -> None:
    short = (
        "class ShopStore:\n    def take(self, key):\n        a = self.rows\n        b = a.pop(key)\n        return b\n"
    )
    assert not copied({"a.py": short, "b.py": short})


def test_fields_only() -> None:
    fields = "class ShopStore:\n" + "".join(f"    field_{number}: int = {number}\n" for number in range(20))
    assert not copied({"a.py": fields, "b.py": fields})


@pytest.mark.parametrize(
    "head", ["class ShopStore(Model):", "@dataclass\nclass ShopStore:", "@strawberry.type\nclass ShopStore:"]
)
def test_two_layers(head: str) -> None:
    assert not copied({"a.py": store(), "b.py": store(head)})


def test_layers_of_neural_networks() -> None:
    layer = store("class ShopStore(nn.Module):")
    assert not copied({"a.py": layer, "b.py": layer})


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("plugins/x/store.py", "plugins/y/store.py", True),
        ("client/schemas/store.py", "server/schemas/store.py", True),
        ("app/events/store.py", "app/server/events/store.py", True),
        ("app/events/store.py", "app/core/events/store.py", False),
        ("schemas/v0.py", "schemas/v1.py", True),
        ("app/x/map/reader/parts/store.py", "app/x/map/writer/pieces/store.py", True),
        ("x/app/agents/work/store.py", "x/app/core/managers/store.py", False),
        ("process/_linux.py", "process/_windows.py", True),
        ("app/from_20_to_24.py", "app/from_24_to_24.py", True),
        ("app/9/store.py", "app/11/paths/store.py", False),
        ("app/store.py", "app/store2.py", False),
        ("app/store.py", "app/shop.py", False),
        ("app/store.py", "app/x/store.py", False),
    ],
)
def test_side_by_side(one: str, other: str, expected: bool) -> None:
    everything = program({one: store(), other: store()})
    assert stand_side_by_side(*roles(everything)) is expected
    assert copied({one: store(), other: store()}) is not expected


def test_versions_that_are_there_to_choose_from() -> None:
    versions = {"models.py": store(), "models_v2.py": store()}
    assert copied(versions)
    row = {**versions, "models_v3.py": "from models_v2 import *\n"}
    assert not copied(row)
    assert not copied({"models.py": store(), "models_v2.py": "", "models_v3.py": "", "plain.py": store()})


THIN = "class ShopStore:\n    def take(self): ...\n    def more(self): ...\n    def most(self): ...\n"
THREE = {"a.py": store(), "b.py": THIN, "x/c.py": THIN}


def spread_over(sources: dict[str, str]) -> list[str]:
    everything = program(sources)
    return [role.location.path for role in spread(everything, roles(everything))]


def test_three_that_share_a_method_whatever_else_they_have() -> None:
    assert spread_over(THREE) == ["a.py", "b.py", "x/c.py"]
    assert not spread_over({"a.py": store(), "b.py": THIN})


@pytest.mark.parametrize(
    "other",
    [
        {"a.py": THIN},
        {"b.py": THIN.replace("ShopStore", "ShopStore(Base)")},
        {"a.py": store(method="run"), "b.py": THIN.replace("take", "run")},
        {path: text.replace("ShopStore", "Store") for path, text in THREE.items()},
    ],
)
def test_three_that_share_a_name_by_chance(other: dict[str, str]) -> None:
    assert not spread_over(THREE | other)


def test_three_of_which_each_is_one_of_several() -> None:
    assert not spread_over({"__init__.py": store(), "_linux.py": THIN, "_windows.py": THIN})
    assert not spread_over({f"plugins/{name}/store.py": store() for name in ("x", "y", "z")})
    assert not spread_over({f"app/views/{name}.py": store() for name in ("users", "rooms", "roles")})
    assert spread_over({"app/a.py": store(), "app/b.py": store(), "c.py": THIN})
    assert not spread_over({f"app/{name}_impl.py": store() for name in ("mongo", "postgres", "redis")})
