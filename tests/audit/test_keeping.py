"""Which objects outlive a request."""

from __future__ import annotations

import pytest

from carrel.audit.keeping import kept_facts, state_facts
from tests.audit.checking import view


@pytest.mark.parametrize(
    "source",
    [
        "desk = Desk()",
        "agent = Agent(Desk())",
        "class Parts:\n    desk = Desk()",
        "def f(desk=Desk()): ...",
        "def get():\n    global d\n    d = Desk()",
        "class A:\n    @classmethod\n    def get(cls):\n        cls.one = Desk()",
        "class A:\n    def f(self):\n        A.one = Desk()",
        "def start(app):\n    app.state.desk = Desk()",
        "def start(app):\n    desk = Desk()\n    app.state.desk = desk",
        "def start(app):\n    app['desk'] = Desk()",
        "KEY = web.AppKey('desk')\ndef start(app):\n    app[KEY] = Desk()",
        "def create_app():\n    desk = Desk()\n    @app.get('/x')\n    def f():\n        return desk.x",
        "def serve():\n    server = grpc.server()\n    x.add_DeskServicer_to_server(Agent(Desk()), server)",
        "class C(Container):\n    desk = providers.Singleton(Desk)",
    ],
)
def test_a_desk_is_kept(source: str) -> None:
    assert "acme.Desk()" in {fact.path for fact in kept_facts(view(f"from acme import Desk, Agent\n{source}\n"))}


@pytest.mark.parametrize("head", ["from acme import x_pb2_grpc\nclass Desk(x_pb2_grpc.DeskServicer): ...",
                                  "class Desk:\n    _one = None\n    def __new__(cls):\n        cls._one = 1\n",
                                  "@singleton\nclass Desk: ..."])  # fmt: skip
def test_a_singleton_class(head: str) -> None:
    assert [fact.path for fact in kept_facts(view(head))] == ["app.Desk()"]


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    desk = Desk()",
        "def f():\n    return Desk()",
        "make = lambda: Desk()",
        "def f(request):\n    request.state.desk = Desk()",
        "def f(user_id):\n    desks[user_id] = Desk()",
        "import flask\ndef f():\n    flask.g.desk = Desk()",
        "from starlette_context import context\ndef f():\n    context['desk'] = Desk()",
        "from flask import session\ndef f():\n    session['desk'] = Desk()",
        "class A:\n    def f(self):\n        self.desk = Desk()",
        "if __name__ == '__main__':\n    desk = Desk()",
        "class Desk:\n    _all = {}\n    def __new__(cls, user):\n        cls._all[user] = 1\n",
        "class Desk:\n    _stack = []\n    def __new__(cls):\n        cls._stack.append(super().__new__(cls))\n",
        "class A:\n    def twin(self):\n        new = A()\n        new.desk = Desk()\n        return new",
        "def f(desk):\n    x = g(desk)\n    x = h(x)\n    global y\n    y = x\n",
    ],
)
def test_none_is_kept(source: str) -> None:
    found = {fact.path for fact in kept_facts(view(f"from acme import Desk as D\nDesk = D\n{source}\n"))}
    assert not {path for path in found if "Desk" in path}


def test_what_a_dependency_takes_from_the_application() -> None:
    source = "from acme import Desk\ndef desk(request) -> Desk:\n    return request.{0}.desk\n"
    assert [fact.path for fact in kept_facts(view(source.format("app.state")))] == ["acme.Desk()"]
    assert kept_facts(view(source.format("state"))) == ()
    assert kept_facts(view(source.format("app.state").replace(" -> Desk", ""))) == ()


def test_what_a_class_body_makes_is_the_class_s_until_something_else_makes_it_too() -> None:
    body = "from acme import Desk\nclass A:\n    desk = Desk()\n"
    assert [(fact.path, fact.owner) for fact in kept_facts(view(body))] == [("acme.Desk()", "app.A")]
    assert [fact.owner for fact in kept_facts(view(f"{body}serve(Desk())\n"))] == [""]


def test_what_a_default_is_goes_to_who_leaves_the_argument_out() -> None:
    body = "from acme import Desk\ndef ask(text, desk=Desk()): ...\n"
    assert [fact.default for fact in kept_facts(view(body))] == [("app.ask", "desk")]
    method = "from acme import Desk\nclass A:\n    def f(self, desk=Desk()): ...\n"
    assert [(fact.default, fact.owner) for fact in kept_facts(view(method))] == [(("app.A.f", "desk"), "")]
    assert [fact.default for fact in kept_facts(view(f"{body}serve(Desk())\n"))] == [("", "")]


@pytest.mark.parametrize(
    ("more", "unused"),
    [("", True), ("serve(desk)\n", False), ("def f(): desk.go()\n", False), ("app.desk = Desk()\n", False)],
)
def test_what_a_script_makes_and_nothing_reads(more: str, *, unused: bool) -> None:
    (fact,) = kept_facts(view(f"from acme import Desk\ndesk = Desk()\n{more}"))
    assert fact.unused is unused


@pytest.mark.parametrize("base", ["discord.ext.commands.Cog", "grpc.aio.ServerInterceptor"])
def test_what_a_framework_makes_one_of(base: str) -> None:
    module = base.rpartition(".")[0]
    (fact,) = kept_facts(view(f"import {module}\nclass Quiz({base}): ...\n"))
    assert fact.path == "app.Quiz()"


def test_what_the_module_puts_into_the_applications_state() -> None:
    made = "class Desk: ...\n{0}.desk = Desk()\n"
    assert state_facts(view(made.format("app.state"))) == (("desk", "app.Desk()"),)
    assert state_facts(view(made.format("other.place"))) == ()


def test_what_is_put_on_an_application_of_tornado() -> None:
    made = "from tornado import web\nclass Desk: ...\ndef start():\n    held = web.{}([])\n    held.desk = Desk()\n"
    assert state_facts(view(made.format("Application"))) == (("desk", "app.Desk()"),)
    assert "app.Desk()" in {one.path for one in kept_facts(view(made.format("Application")))}
    assert state_facts(view(made.format("UIModule"))) == ()
