"""Functions, classes and globals of a file."""

from __future__ import annotations

import pytest

from carrel.audit.reading import class_facts, function_facts, global_facts
from tests.audit.checking import program, view


def test_a_function() -> None:
    one = view("""
        from fastapi import Depends
        from acme import Desk, get
        class A:
            def m(self, desk: Desk, other=Depends(get), n: int = 0):
                self.x = n
                return desk.memory
            @staticmethod
            def s(x): return Desk()
        def f() -> Desk: ...
        """)
    method, static, function = function_facts(one)
    assert (method.name, method.parameters, method.kind) == ("app.A.m", ("desk", "other", "n"), "method")
    assert method.types == {"desk": "acme.Desk()", "other": "acme.get()"}
    assert (method.returns, method.changes) == (("app.A.m:desk.memory",), True)
    assert (static.kind, static.returns, static.changes) == ("static", ("acme.Desk()",), False)
    assert function.returns == ("acme.Desk()",)


def test_a_class() -> None:
    (fact,) = class_facts(view("""
        from acme import Base, Memory, Agent
        class A(Base):
            agent: Agent
            name: str
            def __init__(self, given: Memory):
                self.memory = Memory()
                self.given = given
                self.n = 3
        """))  # fmt: skip
    assert (fact.name, fact.bases, fact.makes) == ("app.A", ("acme.Base",), ("acme.Memory()",))
    assert fact.attributes == {
        "memory": ("acme.Memory()",), "given": ("app.A.__init__:given",), "agent": ("acme.Agent()",),
    }  # fmt: skip


def test_globals() -> None:
    facts = global_facts(view("""
        import acme
        a = []
        b: dict = {}
        c = acme.Desk()
        d = acme.desk
        e = 3
        class K:
            f = []
        def g():
            global h
            h = acme.Desk()
        """))  # fmt: skip
    assert {fact.name: (fact.kind, fact.paths) for fact in facts} == {
        "app.a": ("container", ()),
        "app.b": ("container", ()),
        "app.c": ("call", ("acme.Desk()",)),
        "app.d": ("alias", ("acme.desk",)),
        "app.h": ("call", ("acme.Desk()",)),
        "app.K.f": ("container", ()),
    }


PROXY = """
import flask
from werkzeug.local import LocalProxy
class Desk: ...
desk = Desk()
def found():
    return flask.g
proxy = LocalProxy(GETTER)
"""


@pytest.mark.parametrize("getter", ["found", "lambda: flask.g"])
def test_a_proxy_is_what_its_getter_finds_in_each_context(getter: str) -> None:
    everything = program(PROXY.replace("GETTER", getter))
    assert everything.shared_object("app.proxy") is None
    assert everything.mutable_global("app.proxy") is None


def test_a_proxy_of_the_modules_own_object() -> None:
    assert program(PROXY.replace("GETTER", "lambda: desk")).shared_object("app.proxy") is not None
