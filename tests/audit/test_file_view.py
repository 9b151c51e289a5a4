"""What rules may ask of a file beyond names, changes and taint."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.blocks import Block
from carrel.audit.conditions import MutableGlobal
from carrel.audit.file_view import FileView
from carrel.audit.rule import Grade
from carrel.findings import RuleInfo
from tests.audit.checking import view

INFO = RuleInfo(rule="r", code="CAR999", severity="error", title="t", why="w", fix="f")


def call(one: FileView, name: str) -> ast.Call:
    return next(call for block in one.blocks for call in block.nodes(ast.Call) if ast.unparse(call.func) == name)


def test_the_block_of_a_node() -> None:
    one = view("@first()\nclass A:\n    def m(self, x=second()):\n        third()\n")
    blocks = {name: one.block_of(call(one, name)).symbol for name in ("first", "second", "third")}
    assert blocks == {"first": "app", "second": "app.A", "third": "app.A.m"}


@pytest.mark.parametrize(
    ("annotation", "path"),
    [
        ("User", "acme.User"),
        ("User | None", "acme.User"),
        ("None | User", "acme.User"),
        ("Optional[User]", "acme.User"),
        ("Annotated[User, 1]", "acme.User"),
        ("'User | None'", "acme.User"),
        ("list[User]", "builtins.list"),
        ("acme.sub.User", "acme.sub.User"),
        ("Unknown", "Unknown"),
        ("3", ""),
    ],
)
def test_what_an_annotation_is_about(annotation: str, path: str) -> None:
    one = view(f"import acme.sub\nfrom acme import User\ndef f(x: {annotation}): ...\n")
    assert one.annotation_path(one.functions[0].parameters[0].annotation) == path


@pytest.mark.parametrize(
    ("head", "frozen"),
    [
        ("class A:", False),
        ("class A(Enum):", True),
        ("@dataclass(frozen=True)\nclass A:", True),
        ("@dataclass\nclass A:", False),
        ("@frozen\nclass A:", True),
    ],
)
def test_frozen_classes(head: str, frozen: bool) -> None:
    one = view(f"{head}\n    x = 1\n")
    assert one.is_frozen(one.classes[0]) is frozen


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("own", ()),
        ("made", (MutableGlobal("app.made"),)),
        ("theirs", (MutableGlobal("chat.store.theirs"),)),
        ("constant", None),
        ("local", None),
        ("len", None),
    ],
)
def test_what_must_hold_for_a_mutable_global(name: str, given: object) -> None:
    one = view(f"""
        from chat.store import theirs
        own = []
        made = make()
        constant = 3
        def f():
            local = []
            found({name})
        """)
    assert one.mutable_global(one.access(call(one, "found").args[0])) == given


@pytest.mark.parametrize(
    ("between", "suspends"),
    [("other()", False), ("await other()", True), ("async with x:\n        pass", True), ("yield", True)],
)
def test_where_another_task_may_run(between: str, suspends: bool) -> None:
    one = view(f"async def f(x):\n    first()\n    {between}\n    last()\n")
    assert one.suspends_between(call(one, "first"), call(one, "last"), one.functions[0]) is suspends
    assert one.suspends(one.functions[0]) is suspends


@pytest.mark.parametrize(
    ("source", "released"),
    [
        ("found()", False),
        ("try:\n        found()\n    finally:\n        x()", True),
        ("try:\n        x()\n    finally:\n        found()", False),
        ("try:\n        found()\n    except E:\n        x()", False),
        ("with x:\n        found()", True),
        ("with found():\n        x()", False),
    ],
)
def test_what_is_released(source: str, released: bool) -> None:
    one = view(f"with y:\n  def f(x):\n    {source}\n")
    assert one.is_released(call(one, "found")) is released


def test_dependencies() -> None:
    one = view("""
        from fastapi import Depends, Security
        from deps import get
        Me = Annotated[User, Depends(get)]
        def f(a=Depends(get), b: Annotated[int, Security(get)] = 0, c: Desk = Depends(), d=1, e: Me = None): ...
        """)
    found = [one.dependency(parameter) for parameter in one.functions[0].parameters]
    assert found == ["deps.get", "deps.get", "Desk", None, "deps.get"]


def test_what_litestar_hands_over_by_name() -> None:
    one = view("""
        from litestar import get
        from litestar.di import Provide
        def who(request): ...
        @get("/essays")
        def essays(learner, page): ...
        def helper(learner): ...
        app = Litestar([essays], dependencies={"learner": Provide(who), "request": Provide(who)})
        """)
    found = {each.name: [one.dependency(parameter) for parameter in each.parameters] for each in one.functions}
    assert found == {"who": ["app.who"], "essays": ["app.who", None], "helper": [None]}


def test_a_function_by_its_name_and_what_is_found_out_once() -> None:
    one = view("def f(): ...\nclass C:\n  def g(self): ...\n")
    asked = []

    def work(seen: FileView, block: Block) -> int:
        asked.append(block)
        return seen.once(work, block, meanwhile=7)

    function = one.function_named("app.C.g")
    assert function is not None
    assert one.function_named("app.g") is None
    assert [one.once(work, function, meanwhile=7) for _ in range(2)] == [7, 7]
    assert asked == [function]


def test_escapes_and_calls_of_a_parameter() -> None:
    one = view("def f(h, o, box):\n    box[1] = h\n    h.add(1)\n    o.add(2)\n    return h\n")
    (function,) = one.functions
    assert [type(node).__name__ for node in one.escapes_of(function, "h")] == ["Return", "Assign"]
    assert [method for _, method in one.method_calls_on(function, "h")] == ["add"]


def test_a_function_is_located_at_its_first_line() -> None:
    one = view("def f():\n    return 1\n")
    place = one.location(one.functions[0].node, "here")
    assert (place.line, place.end_line, place.end_column, place.note) == (1, 1, 8, "here")


def test_a_candidate() -> None:
    one = view("def f():\n    found()\n")
    made = one.candidate(INFO, call(one, "found"), "message", fix="do this", severity="info")
    assert (made.rule, made.symbol, made.location.line, made.grades) == ("r", "app.f", 2, (Grade("info"),))
    assert made.fix.description == "do this"


def test_what_a_file_imports() -> None:
    seen = view("from django.http import HttpResponse\nimport os.path\ndef f():\n    import flask\n")
    assert seen.imports("django")
    assert seen.imports("flask", "os")
    assert not seen.imports("flask", "http")
