"""Functions, classes and globals of a file."""

from __future__ import annotations

import pytest

from carrel.audit.reading import call_facts, class_facts, function_facts, global_facts
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


def test_calls_with_what_they_pass() -> None:
    one = view("""
        from acme import save
        def f(user_id, text, n):
            save(user_id, 1, text, key=n + 1)
            n.put_it(*text)
            print(user_id)
            user_id.strip()
        """)
    calls = [(call.path, call.passes) for call in call_facts(one, one.functions[0])]
    assert calls == [
        ("acme.save", (("0", ""), ("2", "text"), ("key", "n"))),
        ("app.f:n.put_it", (("*", "text"),)),
        ("app.f:user_id.strip", ()),
    ]


def test_a_call_that_an_executor_makes() -> None:
    one = view("def work(job, n): ...\ndef start(executor, user_id):\n    executor.submit(work, user_id, n=1)\n")
    calls = call_facts(one, one.functions[1])
    assert [(call.path, call.passes, call.in_thread) for call in calls if call.path == "app.work"] == [
        ("app.work", (("0", ""),), True)
    ]


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


def test_a_call_on_the_object_itself() -> None:
    facts = function_facts(view("class Desk:\n    def f(self):\n        self.g()\n        Desk().g()\n"))
    assert {(call.path, call.on_self) for call in facts[0].calls} >= {("app.Desk().g", True), ("app.Desk().g", False)}
