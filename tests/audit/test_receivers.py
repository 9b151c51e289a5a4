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


def on_shared(source: str, method: str = "app.Desk.use") -> bool:
    return program(source).receivers.on_shared(method)


def test_new_objects_only_though_there_is_a_shared_one() -> None:
    assert not on_shared(DESK)
    assert not on_shared(f"{DESK}def f(user):\n    one = Desk()\n    one.use(user)\n")


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
    assert not on_shared(f"{DESK}{more}\n")


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
        "app.state.desk = desk\ndef f(request, user):\n    request.app.state.desk.use(user)",
        "def get():\n    return desk\ndef f(user):\n    get().use(user)",
        "def get(app) -> Desk:\n    return find(app)\ndef f(user):\n    get().use(user)",
        "from functools import cache\n@cache\ndef get():\n    return Desk()\ndef f(user):\n    get().use(user)",
        "class Other(Desk):\n    def use(self, user): ...\nother = Other()\ndef f(user):\n    other.use(user)",
    ],
)
def test_one_call_on_another_object_is_enough(more: str) -> None:
    assert on_shared(f"{DESK}{more}\n")


def test_what_nobody_calls_is_for_others_to_call() -> None:
    assert on_shared(DESK.replace("cls().answer(user)", "cls()"))


def test_a_class_that_gives_everybody_its_first_object() -> None:
    new = "    def __new__(cls):\n        return cls.one\n    def use("
    assert on_shared(DESK.replace("    def use(", new))


@pytest.mark.parametrize(("kept", "is_new"), [("user_session", True), ("desks", False)])
def test_what_the_session_of_a_user_holds(kept: str, *, is_new: bool) -> None:
    source = f"""
import chainlit
from chainlit import user_session
class Desk:
    def use_for(self, user):
        self.user = user
desk = Desk()
desks = {{"desk": desk}}
def f(user):
    one = {kept}.get("desk")
    one.use_for(user)
"""
    assert on_shared(source, "app.Desk.use_for") is not is_new


VIEW = """
from fastapi import FastAPI
from {home} import {base}
class Ticket:
    def fill(self, title):
        self.title = title
class Page({base}, Ticket):
    def get(self, request):
        self.fill(request.GET["title"])
class Feed(Ticket):
    async def get(self, request):
        self.fill(request.query["title"])
page = Page()
feed = Feed()
site = FastAPI()
@site.get("/feed")
async def show(request):
    await feed.{name}(request)
"""


@pytest.mark.parametrize(
    ("home", "base", "name", "is_shared"),
    [("django.views.generic", "View", "other", False), ("flask.views", "MethodView", "other", False),
     ("flask.views", "MethodView", "get", True)],
)  # fmt: skip
def test_handlers_of_which_there_is_one_for_each_request(home: str, base: str, name: str, *, is_shared: bool) -> None:
    assert on_shared(VIEW.format(home=home, base=base, name=name), "app.Ticket.fill") is is_shared


def test_what_a_shared_object_has_is_of_some_class_below_the_one_that_it_says() -> None:
    source = """
class Votes:
    def sign(self, token): ...
class Wired(Votes):
    def sign(self, token):
        self.token = token
class Page:
    def __init__(self, votes: Votes):
        self.votes = votes
    def answer(self, token):
        self.votes.sign(token)
wired = Wired()
"""
    assert on_shared(source, "app.Wired.sign")
    assert not on_shared(source.replace("wired = Wired()", ""), "app.Wired.sign")


@pytest.mark.parametrize(("head", "is_shared"), [("@celery.task(bind=True)\n", True), ("", False)])
def test_what_a_framework_hands_over(head: str, *, is_shared: bool) -> None:
    source = f"from app2 import celery\nclass Base:\n    def set_up(self, user): ...\n{head}def build(self, user):\n"
    assert on_shared(f"{source}    self.set_up(user)\n", "app.Base.set_up") is is_shared
