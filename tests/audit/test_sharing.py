"""How sure it is that what all requests share is one user's."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.conditions import AnyOf, HasEntryPoints, Not, Reachable, TaintedParameter
from carrel.audit.rule import Grade
from carrel.audit.sharing import brought, grades_of, is_before_requests, is_guarded, makes_work, reached
from carrel.audit.taint import Taint
from tests.audit.checking import view


def taint_of(source: str) -> Taint | None:
    seen = view(source)
    function = seen.functions[-1]
    value = next(function.nodes(ast.Return)).value
    assert value is not None
    return brought(seen, (value,), function)


@pytest.mark.parametrize(
    ("parameter", "by"),
    [("user_id", "name"), ("user_port", "parameter"), ("text", "parameter"), ("request: Request", "request")],
)
def test_an_argument(parameter: str, by: str) -> None:
    name = parameter.partition(":")[0]
    taint = taint_of(f"from fastapi import Request\ndef f({parameter}):\n    return {name}\n")
    assert taint is not None
    assert taint.by == by
    assert bool(taint.given) is (by == "parameter")


def test_what_the_object_had_already_is_no_reason() -> None:
    assert taint_of("class C:\n    def f(self):\n        return self.token\n") is None


def test_the_grades() -> None:
    seen = view("def f(user_id, text):\n    pass\ndef g(request):\n    pass\n")
    first, second = seen.functions
    assert reached(seen, first) == (Reachable("app.f"),)
    assert reached(seen, second) == ()
    certain = grades_of(seen, Taint("name", "it", parameter="user_id"), first)
    assert [one.severity for one in certain] == ["error", "warning", "info"]
    assert certain[0].given == (TaintedParameter("app.f", "user_id"), Reachable("app.f"))
    assert certain[1].given == (Not(HasEntryPoints()), TaintedParameter("app.f", "user_id"))
    doubtful = grades_of(seen, Taint("parameter", "it", (TaintedParameter("app.f", "text"),)), first)
    assert [one.severity for one in doubtful] == ["error", "info"]
    assert doubtful[0].given == (TaintedParameter("app.f", "text"), Reachable("app.f"))


def test_at_the_command_line_nobody_shares() -> None:
    seen = view("def f(user_id):\n    pass\n", "app/commands/serve.py")
    assert grades_of(seen, Taint("name", "it", parameter="user_id"), seen.functions[0]) == (Grade("info"),)


@pytest.mark.parametrize(
    ("text", "works"), [("asyncio.create_task(f())", True), ("Thread(target=f)", True), ("load()", False), ("x", False)]
)
def test_tasks(text: str, works: bool) -> None:
    assert makes_work(ast.parse(text, mode="eval").body, view("def f():\n    pass\n").functions[0]) is works


@pytest.mark.parametrize(
    ("body", "guarded"),
    [
        ("with self._lock:\n            self.user = user", True),
        ("former = self.user\n        self.user = user\n        work()\n        self.user = former", True),
        ("former = getattr(self, 'user', None)\n        self.user = user\n        self.user = former", True),
        ("with self._span():\n            self.user = user", False),
        ("former = self.other\n        self.user = user\n        self.other = former", False),
    ],
)
def test_one_at_a_time_has_the_place(body: str, guarded: bool) -> None:
    seen = view(f"class Desk:\n    def use(self, user):\n        {body}\n")
    mutation = next(one for one in seen.mutations if one.name == "user")
    assert is_guarded(seen, mutation) is guarded


@pytest.mark.parametrize(
    ("source", "before"),
    [
        ("class C:\n    def __init_subclass__(cls, owner): ...", True),
        ("class C(type):\n    def __init__(cls, name, owner): ...", True),
        ("class C:\n    def __init__(self, owner): ...", False),
        ("def f(owner): ...", False),
    ],
)
def test_before_there_are_requests(source: str, before: bool) -> None:
    seen = view(source)
    assert is_before_requests(seen, seen.functions[0]) is before


def test_any_of_several_arguments_may_be_one_users() -> None:
    taint = taint_of("def put(key, value):\n    return {key: value}\n")
    assert taint is not None
    assert taint.given == (AnyOf((TaintedParameter("app.put", "value"), TaintedParameter("app.put", "key"))),)
