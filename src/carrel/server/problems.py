"""Errors as clients see them: RFC 9457 problem details with a stable `code`, and what a socket is closed with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from carrel.errors import (
    AgentFailedError,
    AgentNotFoundError,
    AuthenticationError,
    CarrelError,
    ConflictError,
    ContextError,
    DeliveryError,
    EngineClosedError,
    GrammarError,
    InputError,
    IsolationError,
    LimitExceededError,
    NotFoundError,
    RunCancelledError,
    RunError,
    RunTimeoutError,
    SettingsError,
    SlowConsumerError,
    StorageError,
    ThrottledError,
    ToolFailedError,
    ToolNotFoundError,
    UnrecoverablePositionError,
)

__all__ = [
    "PROBLEMS",
    "Problem",
    "error_response",
    "http_response",
    "install_problems",
    "problem_for",
    "problem_response",
    "validation_response",
]


class Problem(NamedTuple):
    """How one class of error is answered."""

    status: int
    """The HTTP status."""
    code: str
    """Stable for clients; an error that carries its own code replaces it."""
    close: int | None
    """The code that a WebSocket is closed with; None when an `error` frame says it and the connection goes on."""
    public: bool = True
    """Whether the error's own message may be shown; otherwise only the status' phrase is."""


PROBLEMS: Final[Mapping[type[CarrelError], Problem]] = MappingProxyType(
    {
        CarrelError: Problem(500, "internal_error", 4000, public=False),
        ContextError: Problem(422, "invalid_input", None),
        IsolationError: Problem(500, "internal_error", 4000, public=False),
        AuthenticationError: Problem(401, "not_authenticated", 4501, public=False),
        ThrottledError: Problem(429, "throttled", 4501),
        NotFoundError: Problem(404, "not_found", None),
        ConflictError: Problem(409, "conflict", None),
        InputError: Problem(422, "invalid_input", None),
        RunError: Problem(500, "run_error", None, public=False),
        AgentNotFoundError: Problem(422, "agent_not_found", None),
        AgentFailedError: Problem(500, "agent_failed", None, public=False),
        ToolNotFoundError: Problem(422, "tool_not_found", None),
        ToolFailedError: Problem(500, "tool_failed", None, public=False),
        RunTimeoutError: Problem(504, "timed_out", None),
        RunCancelledError: Problem(409, "cancelled", None),
        EngineClosedError: Problem(503, "engine_closed", 4000, public=False),
        LimitExceededError: Problem(429, "limit_exceeded", None),
        DeliveryError: Problem(500, "internal_error", 4000, public=False),
        GrammarError: Problem(500, "internal_error", 4000, public=False),
        UnrecoverablePositionError: Problem(410, "position_gone", None),
        SlowConsumerError: Problem(503, "slow_consumer", 4001),
        StorageError: Problem(503, "storage_unavailable", 4000, public=False),
        SettingsError: Problem(500, "internal_error", 4000, public=False),
    }
)

_STATUS_CODES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "bad_request",
        401: "not_authenticated",
        403: "forbidden",
        404: "not_found",
        405: "method_not_allowed",
        406: "not_acceptable",
        411: "length_required",
        413: "too_large",
        415: "unsupported_media_type",
        421: "host_not_allowed",
        422: "invalid_input",
        429: "limit_exceeded",
        500: "internal_error",
        503: "unavailable",
    }
)
NOT_JSON: Final = "the body is not JSON; send one JSON object, in UTF-8"
NO_FILE: Final = "must be a file, with a name"
NOT_AUTHENTICATED: Final = "a valid access token is needed; sign in and send it as Authorization: Bearer"


def problem_for(error: CarrelError) -> Problem:
    """How `error` is answered; a class that is not in the table is answered like its nearest ancestor."""
    problem = next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)
    own = getattr(error, "code", None)
    return problem._replace(code=own) if isinstance(own, str) else problem


def problem_response(
    status: int,
    code: str,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
    request_id: str | None = None,
    limit: LimitExceededError | None = None,
) -> Response:
    """An `application/problem+json` answer: `type`, `title`, `status`, `code`, and what else is given."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    if request_id is not None:
        body["request_id"] = request_id
    if limit is not None:
        body |= {"limit": limit.limit, "allowed": limit.allowed, "retry_after": limit.retry_after}
    return Response(
        msgspec.json.encode(body), status, headers=dict(headers or {}), media_type="application/problem+json"
    )


def error_response(error: CarrelError) -> Response:
    """The answer to `error`."""
    problem = problem_for(error)
    detail = str(error) if problem.public else None
    headers: dict[str, str] = {}
    errors: list[Mapping[str, str]] = []
    if isinstance(error, ThrottledError | LimitExceededError) and error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after + 0.5)))
    elif isinstance(error, AuthenticationError):
        # One answer for a missing, forged, expired and foreign token: the reason would help only an attacker.
        detail = NOT_AUTHENTICATED
        headers["WWW-Authenticate"] = 'Bearer realm="carrel"'
    if isinstance(error, InputError | ContextError):
        errors.append({"field": error.field, "message": error.problem})
    elif isinstance(error, AgentNotFoundError):
        errors.append({"field": "agent", "message": str(error)})
    if problem.status >= 500:
        structlog.get_logger(__name__).error("request failed", exc_info=error)
    limit = error if isinstance(error, LimitExceededError) else None
    return problem_response(problem.status, problem.code, detail, headers=headers, errors=errors, limit=limit)


def validation_response(error: RequestValidationError) -> Response:
    """The answer to a request whose parts are not as declared; it names fields and never repeats a value."""
    errors = list(_named(error.errors()))
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return problem_response(400, "bad_request", NOT_JSON, errors=errors)
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
    return problem_response(422, "invalid_input", detail, errors=errors)


def _named(errors: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, str]]:
    for one in errors:
        where, *path = (str(part) for part in one["loc"])
        field = where if one["type"] == "json_invalid" else ".".join(path) or where
        message = str(one["msg"]).removeprefix("Value error, ")
        # FastAPI's own words name its class and Python's.
        yield {"field": field, "message": NO_FILE if message.startswith("Expected UploadFile") else message}


def http_response(error: HTTPException) -> Response:
    """The answer to an error of the framework: no such path, method not allowed, body too large …"""
    code = _STATUS_CODES.get(error.status_code, "http_error")
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail and error.detail != phrase else None
    return problem_response(error.status_code, code, detail, headers=error.headers)


def _unreadable(request: Request, error: HTTPException) -> Response:
    """The answer to a body that the framework could not take apart."""
    detail = NOT_JSON if _is_json(request) else f"the body cannot be read as a form: {error.detail}"
    return problem_response(400, "bad_request", detail, errors=[{"field": "body", "message": detail}])


def _is_unread(error: RequestValidationError) -> bool:
    """Whether the body was not taken apart: FastAPI does so for JSON alone."""
    return any(tuple(one["loc"]) == ("body",) and isinstance(one.get("input"), bytes) for one in error.errors())


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _methods(request: Request) -> Sequence[str]:
    """The methods of a path; the framework's own answer knows only those of the first route that has it."""
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.methods and compile_path(str(context.path))[0].match(request.scope["path"]):
            found |= context.methods
    return sorted(found)


def install_problems(app: FastAPI) -> None:
    """Answer every error of `app` as problem details."""

    async def carrel_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, CarrelError)
        return error_response(error)

    async def validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if _is_unread(error) and not _is_json(request):
            return problem_response(
                415,
                "unsupported_media_type",
                "send the body as application/json",
                headers={"Accept": "application/json"},
            )
        return validation_response(error)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 400:
            return _unreadable(request, error)
        if error.status_code == 405:
            error.headers = {**(error.headers or {}), "Allow": ", ".join(_methods(request))}
        return http_response(error)

    app.add_exception_handler(CarrelError, carrel_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(HTTPException, http_error)
