"""Each condition, holding and not."""

from __future__ import annotations

import msgspec
import pytest

from carrel.audit.conditions import (
    AnyOf,
    ChangesObject,
    Condition,
    ForEachThread,
    HasEntryPoints,
    HasSetter,
    MutableGlobal,
    NamedElsewhere,
    Not,
    OnShared,
    Reachable,
    SharedClass,
    SharedObject,
    TaintedParameter,
)
from carrel.audit.data_conditions import LeftOut, LeftOutByRequest, WrapsArguments
from tests.audit.checking import program

SOURCE = """
from flask import request
class Desk:
    def answer(self, text, level):
        self.note(text)
    def note(self, text):
        self.last = text
    def read(self):
        return self.last
class Own:
    pass
desk = Desk()
cache = {}
LIMIT = 3
@app.get("/x")
def route():
    desk.answer(request.args["q"], 3)
    Own()
def never(): ...
"""
HOLDS = (
    SharedClass("app.Desk"),
    SharedObject("app.desk"),
    SharedObject("app.cache"),
    MutableGlobal("app.cache"),
    MutableGlobal("app.desk"),
    TaintedParameter("app.Desk.answer", "text"),
    TaintedParameter("app.Desk.note", "text"),
    Reachable("app.Desk.note"),
    ChangesObject("app.desk.note"),
    ChangesObject("app.Desk().answer"),
    LeftOut("app.never", "text"),
    HasSetter("app.desk.answer"),
    LeftOut("app.Desk.read", "text"),
)
FAILS = (
    SharedClass("app.Own"),
    SharedClass("nowhere.X"),
    SharedObject("app.Own()"),
    MutableGlobal("app.LIMIT"),
    MutableGlobal("app.route"),
    TaintedParameter("app.Desk.answer", "level"),
    Reachable("app.never"),
    ChangesObject("app.desk.read"),
    LeftOut("app.never", "text", shown=True),
    ForEachThread("app.desk"),
    HasSetter("app.desk.last"),
    LeftOut("app.Desk.answer", "level"),
)


@pytest.mark.parametrize("condition", HOLDS)
def test_it_holds(condition: Condition) -> None:
    everything = program(SOURCE)
    assert condition.proof(everything) is not None
    assert Not(condition).proof(everything) is None
    assert AnyOf((FAILS[0], condition)).proof(everything) is not None


@pytest.mark.parametrize("condition", FAILS)
def test_it_does_not(condition: Condition) -> None:
    everything = program(SOURCE)
    assert condition.proof(everything) is None
    assert Not(condition).proof(everything) == ()
    assert AnyOf((condition,)).proof(everything) is None


def test_a_condition_can_be_kept() -> None:
    nested: tuple[Condition, ...] = (AnyOf((Not(HOLDS[0]), HOLDS[5])),)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(nested), type=tuple[Condition, ...]) == nested


@pytest.mark.parametrize(
    ("caller", "call", "is_left_out"),
    [
        ("@app.get('/x')\ndef find(q):", "search(q)", True),
        ("@app.get('/x')\ndef find(q, clinic):", "search(q, clinic)", False),
        ("@app.get('/x')\ndef find(q, clinic):", "search(q, clinic=clinic)", False),
        ("@app.get('/x')\ndef find(*q):", "search(*q)", False),
        ("def nightly(q):", "search(q)", False),
        ("@app.get('/x')\n@admin_required\ndef find(q):", "search(q)", False),
    ],
)
def test_a_request_that_leaves_an_argument_out(caller: str, call: str, *, is_left_out: bool) -> None:
    source = f"def search(words, clinic=None): ...\n{caller}\n    return {call}\n"
    assert (LeftOutByRequest("app.search", "clinic").proof(program(source)) is not None) is is_left_out


def test_a_library_has_no_entry_points() -> None:
    assert HasEntryPoints().proof(program(SOURCE)) == ()
    assert HasEntryPoints().proof(program("def f():\n    pass\n")) is None
    assert HasEntryPoints().proof(program("import argparse\ndef f():\n    pass\n")) == ()
    assert HasEntryPoints().proof(program({"tests/a.py": "import argparse\n", "b.py": ""})) is None


def test_a_method_of_an_object_that_others_have() -> None:
    source = (
        "class Desk:\n    def use(self, user):\n        self.user = user\nDESK = Desk()\ndef f(u):\n    DESK.use(u)\n"
    )
    assert OnShared("app.Desk.use").proof(program(source)) == ()
    assert OnShared("app.Desk.use").proof(program(source.replace("    DESK.use", "    Desk().use"))) is None


@pytest.mark.parametrize(("function", "holds"), [("def f(a): ...", True), ("def f(): ...", False),
                                                  ("class D:\n    @kept\n    def g(self): ...", True)])  # fmt: skip
def test_a_decorator_of_calls_that_differ(function: str, *, holds: bool) -> None:
    source = {"keep.py": "def kept(f): ...\n", "app.py": f"from keep import kept\n@kept\n{function}\n"}
    assert (WrapsArguments("keep.kept").proof(program(source)) is not None) is holds
    assert WrapsArguments("keep.other").proof(program(source)) is None


def test_a_class_that_another_file_names() -> None:
    source = {"app.py": "class Desk: ...\ndesk = Desk()\n", "start.py": "from app import Desk\n"}
    assert NamedElsewhere("app.Desk").proof(program(source)) == ()
    assert NamedElsewhere("app.Desk").proof(program({**source, "start.py": "import app\n"})) is None
