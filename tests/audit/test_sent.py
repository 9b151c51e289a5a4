"""What the client says."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.sent import claimed, origins
from tests.audit.checking import view
from tests.audit.handlers import handler, value


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("return user_id", "user_id"),
        ("return body.owner_id", "owner_id"),
        ("return request.headers['x-user-id']", "x-user-id"),
        ("return request.query_params.get('tenant')", "tenant"),
        ("data = await request.json()\nreturn data['user_id']", "user_id"),
        ("return (await request.json())['user_id']", "user_id"),
        ("return user.id", ""),
        ("return db.rows", ""),
        ("return request.state.user", ""),
        ("return other['user_id']", ""),
    ],
)
def test_what_is_claimed(body: str, name: str) -> None:
    seen, function, found = value(body)
    assert claimed(seen, found, function) == name


@pytest.mark.parametrize(
    ("parameter", "is_claimed"),
    [("user_id: str", True), ("user_id: CurrentActiveUser", False), ("user_id: SignedIn", False),
     ("current_user: UserDep", False), ("user_id: CurrentPage", True)],
)  # fmt: skip
def test_a_dependency_of_another_file_is_not_what_the_client_says(parameter: str, *, is_claimed: bool) -> None:
    seen, function = handler(f"return {parameter.partition(':')[0]}", parameter)
    (found,) = (one.value for one in function.nodes(ast.Return) if one.value is not None)
    assert bool(claimed(seen, found, function)) is is_claimed


def test_nothing_is_claimed_in_a_function_that_no_request_calls() -> None:
    seen = view("def f(user_id):\n    return user_id\n")
    (function,) = seen.functions
    (found,) = function.nodes(ast.Return)
    assert found.value is not None
    assert claimed(seen, found.value, function) == ""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("a = user_id\nreturn str(a)", ["user_id"]),
        ("return f'x:{user_id}'", ["user_id"]),
        ("return (user_id, 'a')", ["user_id", "'a'"]),
        ("return user_id or user.id", ["user_id", "user.id"]),
        ("return user_id if x else user.id", ["user_id", "user.id"]),
        ("return user_id.strip()", ["user_id"]),
        ("return 'a' + user_id", ["user_id"]),
        ("return find(user_id)", ["find(user_id)"]),
    ],
)
def test_origins_of_an_expression(body: str, found: list[str]) -> None:
    seen, function, expression = value(body)
    assert [ast.unparse(one) for one in origins(seen, expression, function)] == found


def test_what_is_read_out_of_itself_is_read_to_an_end() -> None:
    seen, function, found = value(
        "data = load()\ndata = json.loads(data)\ndata = json.loads(data)\nreturn data['user_id']"
    )
    assert claimed(seen, found, function) == ""
