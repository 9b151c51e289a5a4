"""What expressions are made of, through the locals of their functions."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name, identities, is_asked, is_fixed, is_made, leaves, parameters_in, says_whose
from tests.audit.checking import view


def result(source: str) -> tuple[FileView, ast.expr, Block]:
    """The view, and what the last function returns."""
    seen = view(source)
    function = seen.functions[-1]
    value = next(function.nodes(ast.Return)).value
    assert value is not None
    return seen, value, function


def whose(source: str, *, lenient: bool = False, direct: bool = False) -> tuple[str, ...]:
    seen, value, function = result(source)
    return identities(seen, value, function, lenient=lenient, direct=direct)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return user", "user"),
        ("return f'{user.id}:{text}'", "user.id"),
        ("key = user_id\n    return (text, key)", "user_id"),
        ("rows = load(user_id)\n    first, second = rows\n    return second", "user_id"),
        ("rows = []\n    rows.append(user_id)\n    return rows", "user_id"),
        ("for one in load(user_id):\n        last = one\n    return last", "user_id"),
        ("with lock(user_id) as held:\n        pass\n    return held", "user_id"),
        ("name = load(user_id)\n    if text:\n        name = text\n    return name", "user_id"),
        ("name = load(user_id)\n    name = clean(name)\n    return name", "user_id"),
        ("return request.state.user", "request.state.user"),
        ("return request.headers['authorization']", "request.headers['authorization']"),
        ("return request.cookies.get('session_id')", "request.cookies.get('session_id')"),
        ("return make(request)", "request"),
        ("return get_current_user()", "get_current_user()"),
        ("return lambda: load(user_id)", "user_id"),
    ],
)
def test_what_tells_users_apart(body: str, expected: str) -> None:
    assert expected in whose(f"def f(user, user_id, text, request, session, lock):\n    {body}\n")


@pytest.mark.parametrize(
    "body",
    [
        "return text",
        "return request.url.path",
        "return request.app.state.level",
        "return config.get('rag.auth_token')",
        "return user_port",
        "return select(Folder.user_id)",
        "return folders.select().where(folders.c.user_id == bindparam(0))",
        "return folders.select().where(tables.folders.columns.user_id == 0)",
        "return session.execute(text)",
        "token = text.reshape(1)\n    return token",
        "user_id = 1\n    return text",
        "name = load(request)\n    name = text\n    return name",
        "settings = get()\n    return settings.account_id",
        "made = get()\n    return made.MAIL_ACCOUNT",
        "settings = get()\n    return settings.get('user_id', 'admin')",
        "settings = get()\n    return settings['user_id']",
    ],
)
def test_what_does_not(body: str) -> None:
    assert whose(f"def f(text, request, user_port, session, config):\n    {body}\n") == ()


def test_a_doubt_counts_for_keys_only() -> None:
    source = "def f(session, sid):\n    return (session.key, sid)\n"
    assert whose(source) == ()
    assert sorted(whose(source, lenient=True)) == ["session.key", "sid"]


def test_what_a_function_is_only_asked_with_is_not_direct() -> None:
    assert whose("def f(user):\n    return load(user)\n", direct=True) == ()
    assert whose("def f(user):\n    return Desk(dict(user=user))\n", direct=True) == ("user",)


def test_a_function_inside_sees_the_variables_around() -> None:
    assert whose("def f(user_id):\n    key = f'k:{user_id}'\n    def g():\n        return key\n    return g\n") == (
        "user_id",
    )


def test_parameters() -> None:
    seen, value, function = result(
        "class C:\n    def f(self, a, b, c):\n        d = (a.x, self.y)\n        return [d, b]\n"
    )
    assert sorted(parameters_in(seen, value, function)) == ["a", "b"]
    assert sum(1 for _ in leaves(seen, value, function)) >= 4


@pytest.mark.parametrize(
    ("key", "fixed"),
    [
        ("'a'", True), ("-1", True), ("LIMIT", True), ("(1, 'a')", True), ("1:2", True),
        ("key", False), ("(1, key)", False), ("key.id", False), ("f(1)", False),
    ],
)  # fmt: skip
def test_keys_that_are_the_same_at_every_call(key: str, fixed: bool) -> None:
    seen, value, function = result(f"LIMIT = 1\ndef f(rows, key):\n    return rows[{key}]\n")
    assert isinstance(value, ast.Subscript)
    assert is_fixed(seen, value.slice, function) is fixed


@pytest.mark.parametrize("name", ["user", "user_id", "current_user", "userId", "user_message", "owner_email"])
def test_names_that_say_whose(name: str) -> None:
    assert says_whose(name)


@pytest.mark.parametrize("name", ["user_port", "auth_message", "compact_token_threshold", "session", "request", "text"])
def test_names_that_do_not(name: str) -> None:
    assert not says_whose(name)


@pytest.mark.parametrize(
    ("made", "expected"), [("uuid4()", True), ("uuid4().hex", True), ("next(ids)", True), ("head['x']", False)]
)
def test_an_id_that_the_server_makes(made: str, *, expected: bool) -> None:
    assert is_made(ast.parse(made, mode="eval").body) is expected


def test_calls() -> None:
    call = ast.parse("auth.verify_token(x)", mode="eval").body
    assert isinstance(call, ast.Call)
    assert (called_name(call), is_asked(call)) == ("verify_token", True)


@pytest.mark.parametrize(("part", "tells"), [("schema", True), ("is_authenticated", False)])
def test_what_the_signed_in_user_has(part: str, *, tells: bool) -> None:
    seen = view(f"from flask_login import current_user\ndef f():\n    return current_user.{part}\n")
    returned = next(seen.functions[0].nodes(ast.Return)).value
    assert returned is not None
    assert bool(identities(seen, returned, seen.functions[0])) is tells


@pytest.mark.parametrize("said", ["user", "user.email", "user.get('email')"])
@pytest.mark.parametrize(
    ("body", "told"),
    [("user = load(request)", True), ("for user in people(): pass", False), ("for user in request.people: pass", True)],
)
def test_somebody_who_is_gone_through_is_not_who_asks(body: str, said: str, *, told: bool) -> None:
    seen = view(f"def f(request: Request):\n    {body}\n    return {said}\n")
    (returned,) = seen.functions[0].nodes(ast.Return)
    assert returned.value is not None
    assert bool(identities(seen, returned.value, seen.functions[0])) is told
