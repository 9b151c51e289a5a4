"""Whose data an expression holds."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.taint import Taint, is_identity_like, is_part_name
from tests.audit.checking import program, view


def taint(body: str, head: str = "def f(x, user_id, limit=3):", before: str = "") -> Taint | None:
    """Of what `found(…)` is handed."""
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    one = view(f"import jwt\nfrom flask import request as req\n{before}\n{head}\n{indented}\n")
    for function in one.functions:
        for call in function.nodes(ast.Call):
            if isinstance(call.func, ast.Name) and call.func.id == "found":
                return one.taint(call.args[0], function)
    raise AssertionError("nothing is found")


@pytest.mark.parametrize("name", ["user", "user_id", "userId", "current_user", "session_id", "tenant", "thread_id",
                                  "access_token", "_user", "auth_token", "conversation_id", "owner_id"])  # fmt: skip
def test_names_of_one_users_data(name: str) -> None:
    assert is_identity_like(name)


@pytest.mark.parametrize("name", ["max_tokens", "user_service", "session_factory",
                                  "is_user", "token_count", "users_table",
                                  "user_agent", "threads", "question", "used", "default_user", "tokens",
                                  "run_owner_token", "owner_token", "next_page_token",
                                  "aio_to_thread", "db_session", "session_hook", "user_loader",
                                  "request_counter"])  # fmt: skip
def test_names_that_are_not(name: str) -> None:
    assert not is_identity_like(name)


def test_names_of_parts() -> None:
    assert is_part_name("DeskService")
    assert not is_part_name("Message")


@pytest.mark.parametrize(
    ("body", "by"),
    [
        ("found(user_id)", "name"),
        ("a = f'{user_id}'\nb = [a]\nfound(b)", "name"),
        ("found({'owner': user_id})", "name"),
        ("found(rows[user_id])", "name"),
        ("box = []\nbox.append(user_id)\nfound(box)", "name"),
        ("for one in load(user_id):\n    found(one)", "name"),
        ("with open_for(user_id) as it:\n    found(it)", "name"),
        ("found([n for n in load(user_id)])", "name"),
        ("found({n: 1 for n in load(user_id)})", "name"),
        ("found(get_current_user())", "name"),
        ("found(user_id if x else None)", "name"),
        ("found(x)", "parameter"),
        ("found(req.args['q'])", "request"),
        ("match x.split(user_id):\n    case ['say', text]:\n        found(text)", "name"),
        ("match load(user_id):\n    case {'to': 1, **rest}:\n        found(rest)", "name"),
        ("match load(user_id):\n    case [1, *rest] as whole:\n        found(whole or rest)", "name"),
        ("found(jwt.decode(x)['sub'])", "request"),
    ],
)
def test_data_is_followed(body: str, by: str) -> None:
    found = taint(body)
    assert found is not None
    assert found.by == by
    assert found.certain == (by != "parameter")


@pytest.mark.parametrize(
    "body", ["found(1)", "found(user_id == 1)", "found(len(user_id))", "y = 1\nfound(y)", "found(not user_id)",
             "found(lambda: user_id)", "found(req.app)"]
)  # fmt: skip
def test_what_tells_nothing_of_the_user(body: str) -> None:
    assert taint(body) is None


@pytest.mark.parametrize(
    ("head", "argument", "by"),
    [
        ("def f(r: 'Request | None'):", "r", "request"),
        ("def f(who: User):", "who", "name"),
        ("def f(s: AsyncSession, session: AsyncSession):", "session", None),
        ("@app.post('/x')\nasync def f(text: str):", "text", "request"),
        ("@app.post('/x')\nasync def f(desk: DeskService):", "desk", None),
        ("@app.post('/x')\nasync def f(u=Depends(current_user)):", "u", "request"),
        ("@app.post('/x')\nasync def f(desk=Depends(get_desk)):", "desk", "parameter"),
        ("@app.post('/x')\nasync def f(desk: Annotated[Desk, Depends(get_desk)]):", "desk", "parameter"),
        ("class A:\n  def f(self):", "self.user", "name"),
        ("class A:\n  def f(self):", "self.limit", None),
    ],
)
def test_parameters(head: str, argument: str, by: str | None) -> None:
    body = f"found({argument})" if "class" not in head else f"  found({argument})"
    found = taint(body, head, "from fastapi import Depends")
    assert (found.by if found else None) == by


def test_an_inner_function_sees_the_outer_ones_data() -> None:
    found = taint("who = user_id\ndef inner():\n    found(who)")
    assert found is not None
    assert found.by == "name"


def test_what_a_handler_puts_on_its_object_and_reads_there() -> None:
    head = "class V(View):\n  def get(self, request):\n    self.kept = request.GET\n    found(self.kept)\n"
    seen = view(head)
    call = next(one for function in seen.functions for one in function.nodes(ast.Call))
    found = seen.taint(call.args[0])
    assert found is not None
    assert found.by == "request"


@pytest.mark.parametrize(
    ("asked", "is_users"),
    [("request.cookies['member']", True), ("request.query_params['page']", False), ("request.cookies['theme']", False)],
)
def test_what_a_dependency_gives_is_one_users_when_it_asks_who(asked: str, *, is_users: bool) -> None:
    told = program(
        "from fastapi import Depends, FastAPI, Request\napp = FastAPI()\n"
        f"def desk(request: Request):\n    return load({asked})\n"
        "@app.get('/x')\nasync def f(one=Depends(desk)):\n    return show(one)\ndef show(one):\n    return one\n"
    )
    assert (told.tainted_parameter("app.f", "one") is not None) is is_users
    assert (told.tainted_parameter("app.show", "one") is not None) is is_users


@pytest.mark.parametrize("base", ["RequestHandler", "web.BaseHandler", "views.ListView", "WebSocketConsumer"])
def test_what_a_framework_puts_on_the_object_of_one_request(base: str) -> None:
    source = f"class Page({base}):\n    def rows(self):\n        return self.request.files"
    one = view(source)
    (returned,) = one.functions[0].nodes(ast.Return)
    assert returned.value is not None
    found = one.taint(returned.value)
    assert found is not None
    assert found.by == "request"
    other = view(source.replace(base, "Base"))
    plain = other.taint(next(other.functions[0].nodes(ast.Attribute)))
    assert plain is None or plain.by == "name"


@pytest.mark.parametrize(("given", "by"), [("st.text_input('Key'), 1", "request"), ("load(), 1", None)])
def test_what_a_function_of_a_page_asks_its_visitor_for(given: str, by: str | None) -> None:
    one = view(f"import streamlit as st\nst.title('x')\ndef ask():\n    return {given}\nkey, n = ask()\nuse(key)\n")
    use = next(call for call in one.top.nodes(ast.Call) if ast.unparse(call.func) == "use")
    found = one.taint(use.args[0])
    assert (found.by if found is not None else None) == by


def test_what_a_framework_fills_a_dependency_with() -> None:
    seen = view(
        "from fastapi import Header\ndef signed_in(authorization: str = Header()): ...\ndef f(text=None): ...\n"
    )
    first, second = (seen.parameter_taint(one, one.parameters[0].name) for one in seen.functions)
    assert first is not None
    assert first.by == "request"
    assert second is not None
    assert second.by == "parameter"


@pytest.mark.parametrize(("made", "by"), [("web.WebSocketResponse()", "request"), ("web.Feed()", None)])
def test_what_a_socket_receives_that_the_handler_has_made(made: str, by: str | None) -> None:
    body = f"link = {made}\nasync for frame in link:\n    order = loads(frame.data)\n    found(order['dish'])"
    told = taint(body, "async def f():", "from aiohttp import web")
    assert (told and told.by) == by
