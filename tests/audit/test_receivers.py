"""On which objects a method is called."""

from __future__ import annotations

import pytest

from tests.audit.checking import program

DESK = """
class Desk:
    def use(self, user):
        self.user = user
    def answer(self, user):
        self.use(user)
    @classmethod
    def serve(cls, user):
        return cls().answer(user)
desk = Desk()
"""


def only_new(source: str, method: str = "app.Desk.use") -> bool:
    return program(source).receivers.only_new(method)


def test_new_objects_only_though_there_is_a_shared_one() -> None:
    assert only_new(DESK)
    assert only_new(f"{DESK}def f(user):\n    one = Desk()\n    one.use(user)\n")


@pytest.mark.parametrize(
    "more",
    [
        "def twin():\n    return desk.copy()\ndef f(user):\n    twin().use(user)",
        "def make():\n    return Desk()\ndef g():\n    return make()\ndef f(user):\n    g().use(user)",
        "class State:\n    def __init__(self):\n        self.desk = Desk()\ndef f(user):\n    State().desk.use(user)",
        "def f(state, user):\n    for one in state:\n        find(one)\n    find(state).use(user)",
    ],
)
def test_a_copy_what_a_function_made_and_what_only_the_name_says(more: str) -> None:
    assert only_new(f"{DESK}{more}\n")


@pytest.mark.parametrize(
    "more",
    [
        "def f(user):\n    desk.use(user)",
        "def f(user):\n    desk.answer(user)",
        "def f(one: Desk, user):\n    one.use(user)",
        (
            "class State:\n    def __init__(self):\n        self.desk = Desk()\nstate = State()\n"
            "def f(user):\n    State().desk.use(user)"
        ),
        "class State:\n    def __init__(self):\n        self.desk = desk\ndef f(user):\n    State().desk.use(user)",
        "def f(request, user):\n    request.app.state.desk.use(user)",
        "def get():\n    return desk\ndef f(user):\n    get().use(user)",
        "def get(app) -> Desk:\n    return find(app)\ndef f(user):\n    get().use(user)",
        "from functools import cache\n@cache\ndef get():\n    return Desk()\ndef f(user):\n    get().use(user)",
        "class Other(Desk):\n    def use(self, user): ...\nother = Other()\ndef f(user):\n    other.use(user)",
    ],
)
def test_one_call_on_another_object_is_enough(more: str) -> None:
    assert not only_new(f"{DESK}{more}\n")


def test_of_a_method_that_nobody_calls_nobody_knows() -> None:
    assert not only_new(DESK.replace("cls().answer(user)", "cls()"))


def test_a_class_that_gives_everybody_its_first_object() -> None:
    new = "    def __new__(cls):\n        return cls.one\n    def use("
    assert not only_new(DESK.replace("    def use(", new))


@pytest.mark.parametrize(("kept", "is_new"), [("user_session", True), ("desks", False)])
def test_what_the_session_of_a_user_holds(kept: str, *, is_new: bool) -> None:
    source = f"""
import chainlit
from chainlit import user_session
class Desk:
    def use_for(self, user):
        self.user = user
desk = Desk()
desks = {{}}
def f(user):
    one = {kept}.get("desk")
    one.use_for(user)
"""
    assert only_new(source, "app.Desk.use_for") is is_new
