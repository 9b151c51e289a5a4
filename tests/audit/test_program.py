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
        "state.py": "LATEST = {}\nLIMIT = 3\nclass Box: ...\nbox = Box()\nOTHER = LATEST\n",
        "pkg/__init__.py": "from state import LATEST as SEEN\n",
    })  # fmt: skip
    for name in ("state.LATEST", "pkg.SEEN", "state.OTHER", "state.box", "state.box.items", "state.Box.x", "state"):
        assert everything.mutable_global(name) is not None, name
    for name in ("state.LIMIT", "state.nothing", "os.environ"):
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
