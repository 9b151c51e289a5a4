"""Every error has an answer, and no answer says what it should not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from carrel import errors
from carrel.errors import (
    AuthenticationError,
    CarrelError,
    ConflictError,
    InputError,
    IsolationError,
    LimitExceededError,
    NotFoundError,
    StorageError,
    ThrottledError,
    ToolFailedError,
)
from carrel.server.problems import (
    PROBLEMS,
    error_response,
    http_response,
    problem_for,
    problem_response,
    validation_response,
)


def content(response: Response) -> Any:
    return json.loads(bytes(response.body))


def tree(root: type[CarrelError]) -> Iterator[type[CarrelError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


# What only the commands that read source code raise; no client ever sees them.
OFFLINE = (errors.SourceError, errors.MigrationError)
OWN = sorted(
    {kind for kind in tree(CarrelError) if kind.__module__ == errors.__name__ and not issubclass(kind, OFFLINE)},
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
def test_every_error_of_carrel_has_its_own_line(kind: type[CarrelError]) -> None:
    problem = PROBLEMS[kind]
    assert 400 <= problem.status <= 599
    assert problem.code.replace("_", "").isalpha()
    assert problem.close is None or 4000 <= problem.close <= 4999


def test_the_table_holds_nothing_else() -> None:
    assert set(PROBLEMS) == set(OWN)


def test_an_unknown_subclass_is_answered_like_its_parent() -> None:
    class StrangeError(StorageError):
        pass

    assert problem_for(StrangeError("x")) == PROBLEMS[StorageError]


def test_an_error_with_its_own_code_keeps_it() -> None:
    assert problem_for(ConflictError("thread_busy", "wait")).code == "thread_busy"
    assert problem_for(ToolFailedError("t", "permission_denied", "no")).code == "permission_denied"


def test_a_problem_has_the_members_of_rfc_9457() -> None:
    response = error_response(InputError("input", "is blank"))
    assert (response.status_code, response.media_type) == (422, "application/problem+json")
    assert content(response) == {
        "type": "about:blank",
        "title": HTTPStatus(422).phrase,
        "status": 422,
        "code": "invalid_input",
        "detail": "input: is blank",
        "errors": [{"field": "input", "message": "is blank"}],
    }


def test_every_authentication_error_gets_the_same_answer() -> None:
    answers = [error_response(AuthenticationError(reason)) for reason in ("expired", "forged", "another type")]
    assert len({(answer.status_code, answer.body, str(answer.raw_headers)) for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer")


def test_what_does_not_exist_is_answered_without_its_id() -> None:
    assert b"thread" in error_response(NotFoundError("thread")).body


@pytest.mark.parametrize(
    "error", [StorageError("/secret/path is full"), IsolationError("/secret/part"), CarrelError("/secret")], ids=repr
)
def test_a_failure_of_the_server_says_nothing_of_its_inside(error: CarrelError) -> None:
    response = error_response(error)
    assert response.status_code >= 500
    assert b"secret" not in response.body


def test_a_crossed_limit_is_named_with_what_it_allows_and_when_to_come_again() -> None:
    body = json.loads(bytes(error_response(LimitExceededError("runs_per_minute", 5, 11.5)).body))
    assert (body["limit"], body["allowed"], body["retry_after"]) == ("runs_per_minute", 5, 11.5)
    full = error_response(LimitExceededError("stored_bytes", 5))
    assert json.loads(bytes(full.body))["retry_after"] is None
    assert "retry-after" not in full.headers
    assert "limit" not in json.loads(bytes(error_response(ConflictError("x", "y")).body))


@pytest.mark.parametrize("error", [ThrottledError(29.2), LimitExceededError("runs", 5, 29.2)], ids=repr)
def test_who_must_wait_is_told_how_long(error: CarrelError) -> None:
    response = error_response(error)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) >= 29.2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 411, 413, 415, 418, 421, 422, 429, 500, 503])
def test_every_status_of_the_framework_is_a_problem(status: int) -> None:
    body = content(http_response(HTTPException(status)))
    assert (body["status"], "detail" in body) == (status, False)
    assert body["code"]


def test_headers_of_the_framework_survive() -> None:
    response = http_response(HTTPException(405, headers={"Allow": "GET"}))
    assert response.headers["Allow"] == "GET"


def test_a_wrong_field_is_named_and_its_value_is_not() -> None:
    error = RequestValidationError(
        [{"type": "x", "loc": ("body", "nested", "field"), "msg": "Value error, Is bad", "input": "hunter2", "ctx": {}}]
    )
    response = validation_response(error)
    assert response.status_code == 422
    assert b"hunter2" not in response.body
    assert content(response)["errors"] == [{"field": "nested.field", "message": "Is bad"}]


def test_a_body_that_is_no_json_is_a_bad_request() -> None:
    error = RequestValidationError([{"type": "json_invalid", "loc": ("body", 3), "msg": "JSON decode error"}])
    response = validation_response(error)
    assert response.status_code == 400
    assert content(response)["errors"] == [{"field": "body", "message": "JSON decode error"}]


def test_a_request_id_is_added_when_given() -> None:
    assert content(problem_response(500, "internal_error", request_id="r"))["request_id"] == "r"
