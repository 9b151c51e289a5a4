"""What calls pass on."""

from __future__ import annotations

import pytest

from tests.audit.checking import program

SOURCE = """
    @app.get("/x")
    def route(request: Request, page): first(request.user.id, page)
    def first(owner, number): second(owner, number, 1)
    def second(owner, number, fixed): ...
    """


def test_what_is_handed_on_from_call_to_call() -> None:
    passing = program(SOURCE).passing
    assert passing.tainted_parameter("app.second", "number") is not None
    assert passing.tainted_parameter("app.second", "fixed") is None
    assert passing.identity_parameter("app.second", "owner") is not None
    assert passing.identity_parameter("app.second", "number") is None
    assert passing.sent_parameter("app.second", "number") is not None
    assert passing.sent_parameter("app.second", "owner") is None


def test_what_is_handed_on_by_a_name_that_only_the_double_star_takes() -> None:
    source = """
        @app.get("/x")
        def route(request: Request): find(owner=request.user.id)
        def find(**given): ...
        """
    assert program(source).passing.tainted_parameter("app.find", "given") is not None


@pytest.mark.parametrize(
    ("given", "is_sent"),
    [
        ("request.headers.get('X-Reference', '')", True),
        ("request.headers.get('X-Reference') or uuid.uuid4().hex", True),
        ("uuid.uuid4().hex", False),
        ("request.app", False),
    ],
)
def test_what_a_function_of_another_file_takes_from_the_request(given: str, *, is_sent: bool) -> None:
    told = program(
        {
            "ids.py": f"import uuid\ndef reference(request):\n    return {given}\n",
            "app.py": (
                "from aiohttp import web\nfrom ids import reference\nasync def labels(request: web.Request):\n"
                "    await ask(reference(request))\nasync def ask(number):\n    return number\n"
            ),
        }
    )
    assert (told.passing.sent_parameter("app.ask", "number") is not None) is is_sent
