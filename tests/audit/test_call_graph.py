"""Who calls whom, and with whose data."""

from __future__ import annotations

import pytest

from tests.audit.checking import program


def way(source: str | dict[str, str], symbol: str) -> tuple[str, ...]:
    return program(source).calls.way_to(symbol)


def test_the_shortest_way_from_an_entry_point() -> None:
    source = """
        @app.get("/x")
        def route(): first(); target()
        def first(): target()
        def target(): ...
        def never(): target()
        """
    assert way(source, "app.target") == ("GET /x app.route", "app.target")
    assert way(source, "app.route") == ("GET /x app.route",)
    assert way(source, "app.never") == ()


@pytest.mark.parametrize(
    "call",
    [
        "desk.answer()",
        "Desk().answer()",
        "make().answer()",
        "x = desk\n    x.answer()",
        "unknown.answer_the_question()",
        "flask.session.get('desk').answer_the_question()",
        "def inner():\n        desk.answer()",
        "[desk.answer() for _ in ()]",
        "queued.delay()",
    ],
)
def test_ways_to_call(call: str) -> None:
    source = f"""
import flask
class Desk:
    def answer(self): self.answer_the_question()
    def answer_the_question(self): ...
desk = Desk()
def make() -> Desk: ...
def queued(): desk.answer()
@app.get("/x")
def route():
    {call}
"""
    assert way(source, "app.Desk.answer_the_question")


def test_an_entry_point_registered_in_another_file() -> None:
    source = {"views.py": "def chat(request, text): ...\n", "urls.py": "import views\nu = [path('c/', views.chat)]\n"}
    everything = program(source)
    assert everything.calls.way_to("views.chat") == ("GET c/ views.chat",)
    assert everything.tainted_parameter("views.chat", "text") is not None


def test_taint_passes_through_calls() -> None:
    everything = program("""
        from flask import request
        def route():
            one(request.args, 3)
        def one(a, b):
            two(b, value=a)
        def two(x, *, value):
            Box(value)
        class Box:
            def __init__(self, held):
                self.put(held)
            def put(self, item): ...
        """)
    found = {
        (function, name)
        for function, name in [("one", "a"), ("one", "b"), ("two", "x"), ("two", "value"), ("Box.__init__", "held"),
                               ("Box.put", "item")]
        if everything.tainted_parameter(f"app.{function}", name) is not None
    }  # fmt: skip
    assert found == {("one", "a"), ("two", "value"), ("Box.__init__", "held"), ("Box.put", "item")}


def test_a_proof_names_the_call() -> None:
    everything = program("def route(user_id):\n    f(user_id)\ndef f(x): ...\n")
    proof = everything.tainted_parameter("app.f", "x")
    assert proof is not None
    assert [(place.path, place.line, place.note) for place in proof] == [
        ("app.py", 2, "passes one user's data for `x`")
    ]


def test_what_tells_users_apart_passes_through_calls() -> None:
    everything = program("""
        import jwt
        from flask import request
        def route():
            claims = jwt.decode(request.headers["authorization"], KEY)
            one(claims["sub"], request.form["printer_profile"], settings.token)
        def one(a, b, c):
            two(a, b, c)
        def two(x, y, z): ...
        """)
    found = [name for name in "xyz" if everything.passing.identity_parameter("app.two", name) is not None]
    assert found == ["x"]


def test_functions_that_call_each_other_end() -> None:
    everything = program("def a(x): b(x)\ndef b(x): a(x)\n@app.get('/')\ndef r(q): a(q)\n")
    assert everything.tainted_parameter("app.b", "x") is not None
    assert everything.calls.way_to("app.b") == ("GET / app.r", "app.a", "app.b")


@pytest.mark.parametrize(
    ("calls", "left_out"),
    [
        ("", True),
        ("ask(1)", True),
        ("ask(1, [])\n    ask(2)", True),
        ("ask(1, [])", False),
        ("ask(1, turns=[])", False),
        ("ask(*everything)", False),
        ("pool.submit(ask, 1)", True),
        ("pool.submit(ask, 1, [])", False),
    ],
)
def test_calls_that_leave_an_argument_out(calls: str, left_out: bool) -> None:
    everything = program(f"def ask(text, turns=[]): ...\ndef f(everything):\n    {calls or '...'}\n")
    assert (everything.calls.left_out("app.ask", "turns") is not None) is left_out


@pytest.mark.parametrize(("calls", "left_out"), [("", True), ("ask(1)", True), ("ask(1, [])\n    ask(2)", False)])
def test_calls_that_always_leave_an_argument_out(calls: str, left_out: bool) -> None:
    everything = program(f"def ask(text, turns=[]): ...\ndef f(everything):\n    {calls or '...'}\n")
    assert (everything.calls.left_out("app.ask", "turns", always=True) is not None) is left_out


@pytest.mark.parametrize(("handed", "left_out"), [("1", True), ("1, {}", False)])
def test_a_method_is_called_as_the_one_that_it_overrides(handed: str, left_out: bool) -> None:
    base = (
        "class Base:\n    def sign(self, text, more={}): ...\n"
        f"    def send(self):\n        self.sign({handed})\n"
        "class Near(Base):\n    def send(self):\n        super().send()\n"
    )
    other = "from app.base import Near\nclass Other(Near):\n    def sign(self, text, more={}): ...\n"
    everything = program({"app/__init__.py": "", "app/base.py": base, "app/other.py": other})
    assert (everything.calls.left_out("app.other.Other.sign", "more") is not None) is left_out


def test_a_framework_may_leave_an_argument_out() -> None:
    everything = program("@app.get('/x')\ndef ask(turns=[]): ...\ndef f():\n    ask([])\n")
    assert everything.calls.left_out("app.ask", "turns") is not None


def test_a_handler_whose_base_is_in_another_file() -> None:
    base = "from rest_framework.views import APIView\nclass SignedIn(APIView): ...\n"
    view = "from app.base import SignedIn\nclass Notes(SignedIn):\n    def post(self, r): target()\ndef target(): ...\n"
    found = way({"app/__init__.py": "", "app/base.py": base, "app/notes.py": view}, "app.notes.target")
    assert found == ("POST Notes app.notes.Notes.post", "app.notes.target")


def test_an_object_of_a_global_that_nobody_knows_is_called_by_name() -> None:
    everything = program("""
        class Registry: ...
        registry = Registry()
        class Mailer:
            def to(self, recipient): ...
        @app.post("/")
        def receipt(user):
            registry.mailer.to(user.email)
        """)
    assert everything.calls.way_to("app.Mailer.to") == ("POST / app.receipt", "app.Mailer.to")


def test_what_a_route_depends_on() -> None:
    source = """
        def token(authorization: str = Header()): return authorization
        def who(given=Depends(token)): return find(given)
        def find(given): ...
        @app.get("/x", dependencies=[Depends(who)])
        def route(): ...
        """
    everything = program(source)
    assert everything.calls.way_to("app.find") == ("GET /x app.route", "app.who", "app.find")
    assert everything.tainted_parameter("app.token", "authorization") is not None
    assert program(source.replace("=[Depends(who)]", "=[]")).calls.way_to("app.find") == ()


def test_the_initializer_that_a_decorator_writes() -> None:
    source = """
        @dataclass
        class Cart:
            kinds: ClassVar[list[str]] = []
            owner: str
        @app.get("/x")
        def route(name): Cart(name)
        """
    everything = program(source)
    assert everything.tainted_parameter("app.Cart.__init__", "owner") is not None
    assert everything.tainted_parameter("app.Cart.__init__", "kinds") is None
    assert program(source.replace("@dataclass", "@final")).tainted_parameter("app.Cart.__init__", "owner") is None


def test_a_page_that_runs_from_top_to_bottom() -> None:
    source = """
        import streamlit as st
        def show(text): ...
        if asked := st.chat_input("Ask"):
            show(asked)
        """
    everything = program(source)
    assert everything.calls.way_to("app.show") == ("page app.<page>", "app.show")
    assert everything.tainted_parameter("app.show", "text") is not None
    assert program(source.replace("st.chat_input", "input")).calls.way_to("app.show") == ()


def test_a_property_that_is_read() -> None:
    source = """
        class Identity:
            @property
            def buyer(self): return current()
        identity = Identity()
        def current(): ...
        @app.get("/x")
        def route(): return identity.buyer
        """
    assert way(source, "app.current") == ("GET /x app.route", "app.Identity.buyer", "app.current")
    assert way(source.replace("@property", "@staticmethod"), "app.current") == ()


def test_a_request_leads_to_what_its_route_depends_on() -> None:
    everything = program("""
        from fastapi import Depends, FastAPI
        app = FastAPI()
        def settings(): ...
        def service(settings=Depends(settings)): return load()
        def load(): ...
        @app.get("/x")
        def x(one=Depends(service)): ...
        """)
    assert everything.way_to("app.load") == ("GET /x app.x", "app.service", "app.load")
    assert everything.way_to("app.settings")


def test_who_asks_under_any_name() -> None:
    source = """
        def fill(name, **values): ...
        @app.get("/x")
        def route(request: Request): fill("a", owner=request.user.id, page=1)
        """
    assert program(source).passing.identity_parameter("app.fill", "values") is not None
    assert program(source.replace("request.user.id", "1")).passing.identity_parameter("app.fill", "values") is None


@pytest.mark.parametrize(("name", "known"), [("current_reader", True), ("signed_in", True), ("get_page", False)])
def test_a_dependency_of_a_file_that_is_not_here(name: str, *, known: bool) -> None:
    calls = program("def home(): ...\n").calls
    assert (calls.user_dependency(f"elsewhere.auth.{name}") is not None) is known
