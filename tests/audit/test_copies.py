"""Copies and namesakes."""

from __future__ import annotations

import pytest

from carrel.audit.copies import Copies, stand_side_by_side
from carrel.audit.roles import roles
from tests.audit.checking import program

WORK = """
    def {method}(self, key):
        row = self.rows.pop(key)
        self.log.info(row.name)
        return row.value
    def other(self): ...
"""


def store(head: str = "class Store:", method: str = "take") -> str:
    return head + WORK.replace("{method}", method)


def are_copies(sources: dict[str, str]) -> bool:
    everything = program(sources)
    everyone = list(roles(everything))
    one, other = (role for role in everyone if role.name == "Store")
    copies = Copies(everything, everyone)
    assert copies.are_copies(one, other) == copies.are_copies(other, one)
    return copies.are_copies(one, other)


def test_the_same_work_in_two_places() -> None:
    assert are_copies({"a.py": store(), "b.py": store()})
    assert are_copies({"a.py": store("class Store(View):"), "b.py": store("class Store(View):")})


def test_a_method_that_does_nothing_of_its_own() -> None:
    short = "class Store:\n    def take(self, key):\n        return self.rows.pop(key)\n    def other(self): ...\n"
    assert not are_copies({"a.py": short, "b.py": short})


def test_a_method_of_the_same_name_that_does_something_else() -> None:
    body = "        a = key.x\n        b = a.y\n        return b\n"
    other = f"class Store:\n    def take(self, key):\n{body}    def other(self): ...\n"
    assert not are_copies({"a.py": store(), "b.py": other})


def test_what_a_message_may_hold() -> None:
    checked = store("class Store(BaseModel):").replace(
        "    def take", '    @model_validator(mode="after")\n    def take'
    )
    assert not are_copies({"a.py": checked, "b.py": checked})


@pytest.mark.parametrize("hook", ["get", "run", "handle", "from_orm", "to_dict"])
def test_what_a_framework_asks_for_by_name(hook: str) -> None:
    assert not are_copies({"a.py": store(method=hook), "b.py": store(method=hook)})


def test_what_many_define_below_the_same_base() -> None:
    others = "".join(store(f"class Of{letter}(View):") for letter in "ABC")
    view = store("class Store(View):")
    assert not are_copies({"a.py": view, "b.py": view, "others.py": others})


@pytest.mark.parametrize("head", ["class Store(Model):", "@dataclass\nclass Store:", "@strawberry.type\nclass Store:"])
def test_two_layers(head: str) -> None:
    assert not are_copies({"a.py": store(), "b.py": store(head)})


def test_a_module_that_imports_the_other_class() -> None:
    assert not are_copies({"a.py": store(), "b.py": "from a import Store as Row\n" + store()})
    assert not are_copies({"a.py": store(), "b.py": "import a\n" + store()})
    assert are_copies({"a.py": "LIMIT = 1\n" + store(), "b.py": "from a import LIMIT\n" + store()})


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("plugins/x/store.py", "plugins/y/store.py", True),
        ("client/schemas/store.py", "server/schemas/store.py", True),
        ("schemas/v0.py", "schemas/v1.py", True),
        ("app/x/map/reader/parts/store.py", "app/x/map/writer/pieces/store.py", True),
        ("x/app/agents/work/store.py", "x/app/core/managers/store.py", False),
        ("process/_linux.py", "process/_windows.py", True),
        ("app/store.py", "app/shop.py", False),
        ("app/store.py", "app/x/store.py", False),
    ],
)
def test_side_by_side(one: str, other: str, expected: bool) -> None:
    everything = program({one: store(), other: store()})
    assert stand_side_by_side(*roles(everything)) is expected
    assert are_copies({one: store(), other: store()}) is not expected


def test_many_methods_of_the_same_names_that_are_written_anew() -> None:
    def body(first: str, second: str) -> str:
        work = f"(self, key):\n        a = key.{first}\n        b = a.{second}\n        return b\n"
        return "".join(f"    def {name}{work}" for name in ("take", "keep", "drop"))

    assert are_copies({"a.py": "class Store:\n" + body("x", "y"), "b.py": "class Store:\n" + body("v", "w")})


def test_one_of_a_row_of_files() -> None:
    row = {f"app/{name}_impl.py": "LIMIT = 1\n" for name in ("redis", "neo")}
    pair = {"app/mongo_impl.py": store(), "app/postgres_impl.py": store()}
    assert are_copies(pair)
    assert not are_copies(pair | row)
    assert are_copies({"app/mongo_db_impl.py": store(), "app/mongo_impl.py": store()} | row)


def spread(sources: dict[str, str]) -> list[str]:
    everything = program(sources)
    everyone = list(roles(everything))
    return [role.location.path for role in Copies(everything, everyone).spread(everyone)]


def test_three_that_share_a_method_whatever_else_they_have() -> None:
    thin = "class Store:\n    def take(self): ...\n    def more(self): ...\n    def most(self): ...\n"
    three = {"a.py": store(), "b.py": thin, "x/c.py": thin}
    assert spread(three) == ["a.py", "b.py", "x/c.py"]
    assert not spread({"a.py": store(), "b.py": thin})
    assert not spread({"a.py": thin, "b.py": thin, "x/c.py": thin})
    assert not spread(three | {"b.py": thin.replace("Store", "Store(Base)")})
    assert not spread(three | {"a.py": store(method="run"), "b.py": thin.replace("take", "run")})
    assert not spread({"__init__.py": store(), "_linux.py": thin, "_windows.py": thin})
    assert not spread({f"plugins/{name}/store.py": store() for name in ("x", "y", "z")})
