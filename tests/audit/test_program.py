"""What all files together say."""

from __future__ import annotations

import pytest

from tests.audit.checking import program


def test_what_a_shared_object_makes_is_shared_with_it() -> None:
    everything = program("""
        class Memory: ...
        class Desk:
            def __init__(self): self.memory = Memory()
        class Sessions:
            def open(self, user_id): self.all[user_id] = Session()
        class Session: ...
        desk = Desk()
        sessions = Sessions()
        """)
    assert set(everything.shared_classes) == {"app.Desk", "app.Memory", "app.Sessions"}


def test_an_object_of_a_subclass_shares_the_base() -> None:
    everything = program("class A: ...\nclass B(A): ...\nb = B()\n")
    assert everything.shared_class("app.A") is not None
    assert everything.shared_class("app.B") is not None


@pytest.mark.parametrize(
    ("getter", "shared"),
    [
        ("@lru_cache\ndef get(): return Desk()", True),
        ("@lru_cache\ndef get(model): return Desk()", True),
        ("@lru_cache\ndef get(user_id): return Desk()", False),
        ("def get(): return Desk()", False),
    ],
)
def test_cached_getters(getter: str, shared: bool) -> None:
    everything = program(f"from functools import lru_cache\nclass Desk: ...\n{getter}\n")
    assert (everything.shared_class("app.Desk") is not None) is shared


def test_mutable_globals_through_modules_and_names() -> None:
    everything = program({
        "state.py": "LATEST = {}\nLIMIT = 3\nclass Box:\n    y = []\n    z = 1\nbox = Box()\nOTHER = LATEST\n",
        "pkg/__init__.py": "from state import LATEST as SEEN\n",
    })  # fmt: skip
    changed = ("state.LATEST", "pkg.SEEN", "state.OTHER", "state.box", "state.box.items", "state.Box.x", "state.Box.y")
    for name in (*changed, "state"):
        assert everything.mutable_global(name) is not None, name
    for name in ("state.LIMIT", "state.Box.z", "state.nothing", "os.environ"):
        assert everything.mutable_global(name) is None, name


def test_a_method_that_changes_its_object_through_another() -> None:
    everything = program("""
        class A:
            def __init__(self): self.x = []
            def one(self): self.two()
            def two(self): self.x.append(1)
            def three(self): return self.x
        """)
    assert everything.changes_object("app.A().one") is not None
    assert everything.changes_object("app.A().three") is None
    assert everything.changes_object("app.A") is None


def test_the_imports() -> None:
    everything = program({"a.py": "import b\n", "b.py": "import a\n"})
    assert everything.imports.cycles() == [("a.py", "b.py")]


def test_each_object_of_a_pydantic_model_has_a_copy_of_what_its_body_makes() -> None:
    text = "from acme import {0}\nclass Memory: ...\nclass Base({0}): ...\nclass Agent(Base):\n    memory = Memory()\n"
    assert program(text.format("Model")).shared_class("app.Memory") is not None
    assert program(text.format("Model")).shared_object("app.Agent().memory") is not None
    copied = program(text.format("BaseModel"))
    assert copied.shared_class("app.Memory") is None
    assert copied.shared_object("app.Agent().memory") is None
    shared = program(text.format("BaseModel") + "agent = Agent()\n")
    assert shared.shared_class("app.Memory") is not None
    assert shared.shared_object("app.agent.memory") is not None


def test_an_object_of_each_thread_that_another_module_puts_in_the_place_of_one_for_all() -> None:
    files = {
        "web/__init__.py": "",
        "web/plain.py": "class Request: ...\nrequest = Request()\n",
        "web/threads.py": "import threading\nfrom . import plain\nclass Own(threading.local): ...\n",
    }
    assert program(files).shared_object("web.plain.request") is not None
    files["web/threads.py"] += "plain.request = Own()\n"
    assert program(files).shared_object("web.plain.request") is None
    assert program(files).is_for_each_thread("web.plain.request")


@pytest.mark.parametrize(
    ("body", "has_setter"),
    [
        ("@property\n    def user(self): ...", True),
        ("def __setattr__(self, name, value): ...", True),
        ("user = Own()", True),
        ("user = None", False),
        ("def name(self): ...", False),
    ],
)
def test_where_a_store_is_a_call(body: str, *, has_setter: bool) -> None:
    own = "class Own:\n    def __set__(self, one, value): ...\n"
    everything = program(f"{own}class A:\n    {body}\nclass B(A): ...\nb = B()\n")
    assert everything.has_setter("app.b.user") is has_setter
    assert everything.has_setter("app.B().user") is has_setter


@pytest.mark.parametrize(
    ("made", "shared"),
    [
        ("def ask(desk=Desk()): ...\n", True),
        ("def ask(desk=Desk()): ...\nask()\n", True),
        ("def ask(desk=Desk()): ...\ndef all_of_them(): ask(Desk())\n", False),
        ("def ask(desk=Desk()): ...\ndef all_of_them(): ask(Desk()); ask()\n", True),
        ("desk = Desk()\n", False),
        ("desk = Desk()\ndef ask(): desk.x()\n", True),
    ],
)
def test_what_is_made_once_is_shared_by_who_gets_it(made: str, *, shared: bool) -> None:
    files = {"desk.py": "class Desk: ...\n", "made.py": f"from desk import Desk\n{made}"}
    assert ("desk.Desk" in program(files).shared_classes) is shared
    assert "desk.Desk" in program({**files, "use.py": "from made import desk, ask\ndef all(): ask()\n"}).shared_classes


@pytest.mark.parametrize(("path", "shared"), [("app.py", True), ("examples/app.py", False)])
def test_what_an_example_makes_is_not_what_the_product_shares(path: str, *, shared: bool) -> None:
    files = {"desk.py": "class Desk: ...\n", path: "from desk import Desk\ndesk = Desk()\ndef ask(): desk.x()\n"}
    assert ("desk.Desk" in program(files).shared_classes) is shared


@pytest.mark.parametrize(
    ("call", "shared"),
    [
        ("request.app['rpc'].ask(1)", True),
        ("request.app.state.rpc.ask(1)", True),
        ("request.rpc.ask(1)", False),
        ("request.app['rpc'].tell(1)", False),
    ],
)
def test_an_object_that_nobody_is_seen_to_make_and_the_application_holds(call: str, shared: bool) -> None:
    everything = program(
        {"rpc.py": "class Rpc:\n    def ask(self, x): ...\n", "app.py": f"def h(request):\n    {call}\n"}
    )
    assert (everything.shared_class("rpc.Rpc") is not None) is shared


@pytest.mark.parametrize(("head", "shared"), [("@lru_cache\n", True), ("", False)])
def test_what_a_library_makes_and_a_cached_function_gives(head: str, shared: bool) -> None:
    everything = program(f"from functools import lru_cache\nimport httpx\n{head}def get(): return httpx.Client()\n")
    assert (everything.shared_object("app.get()") is not None) is shared


def test_what_hands_on_what_it_is_handed_shows_no_shared_object() -> None:
    desk = "class Desk: ...\nclass Services: ...\ndef wrap(desk: Desk):\n    return Services(desk=desk)\n"
    assert program(f"{desk}services = Services(None)\n").shared_classes.keys() == {"app.Services"}


@pytest.mark.parametrize(("ask", "shared"), [("services.desk", True), ("build()", False)])
def test_what_a_shared_object_is_set_up_with(ask: str, *, shared: bool) -> None:
    desk = "class Desk: ...\nclass Services:\n    desk: Desk\n"
    made = "from desk import *\ndef build():\n    desk = Desk()\n    return Services(desk=desk)\n"
    used = "from made import build\nservices = build()\n@app.get('/')\ndef ask():\n    services.x()\n    return {}\n"
    everything = program({"desk.py": desk, "made.py": made, "app.py": used.format(ask)})
    assert ("desk.Desk" in everything.shared_classes) is shared
