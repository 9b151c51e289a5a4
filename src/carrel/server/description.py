"""The OpenAPI document: what FastAPI reads off the routes, and every error that each of them can answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from carrel.server.access import OwnerRule, declared_routes

__all__ = ["ProblemAnswer", "describe", "problems", "stream_of"]

REFERENCE: Final = "#/components/schemas/{model}"
SCHEME: Final = "carrel"
PASSWORD_FLOW: Final[Mapping[str, Any]] = MappingProxyType(
    {"type": "oauth2", "flows": {"password": {"scopes": {}, "tokenUrl": "/api/v1/auth/token"}}}
)
HEADERS: Final[Mapping[int, Mapping[str, Any]]] = MappingProxyType(
    {
        401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
        415: {"Accept": {"schema": {"type": "string"}}},
        429: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}},
    }
)


class RefusedField(BaseModel):
    """A part of the request that is not accepted."""

    field: str
    message: str


class ProblemAnswer(BaseModel):
    """An error (RFC 9457); `code` is stable for clients. What is not known of it is left out."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    errors: list[RefusedField] = []
    request_id: str = ""
    limit: str = ""
    """Name of the limit that was crossed."""
    allowed: float = 0
    """What it allows."""
    retry_after: float | None = None
    """Seconds after which to try again; null when waiting does not help."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that can answer these errors beside those that `describe` knows of."""
    return {status: _problem(status) for status in statuses}


def stream_of(media_type: str, meaning: str) -> dict[str, Any]:
    """The entry in `responses=` of an answer that is no JSON."""
    return {"description": meaning, "content": {media_type: {"schema": {"type": "string"}}}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`.

    The errors that follow from a route's owner rule, parameters and body are added here, and that it takes a token; a
    route declares its own errors with `problems`.
    """
    document = app.openapi()
    rules = {(one.path, method.lower()): one.rule for one in declared_routes(app) for method in one.methods}
    schemas = dict(document["components"]["schemas"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    answer = ProblemAnswer.model_json_schema(ref_template=REFERENCE)
    schemas |= answer.pop("$defs")
    schemas[ProblemAnswer.__name__] = answer
    return {
        **document,
        "paths": {
            path: {method: _completed(operation, rules[path, method]) for method, operation in item.items()}
            for path, item in document["paths"].items()
        },
        "components": {**document["components"], "schemas": schemas, "securitySchemes": {SCHEME: dict(PASSWORD_FLOW)}},
    }


def _completed(operation: Mapping[str, Any], rule: OwnerRule) -> dict[str, Any]:
    # FastAPI's own 422 tells of a form of error that is never sent.
    own = {status: answer for status, answer in operation["responses"].items() if status != "422"}
    errors = {str(status): _problem(status) for status in _errors(operation, rule)}
    # `RequireIdentity` has verified the token before a route is chosen, so that no route says so itself.
    security: Mapping[str, Any] = {"security": [{SCHEME: []}]} if rule in {"caller", "owned"} else {}
    return {**operation, "responses": dict(sorted((errors | own).items())), **security}


def _errors(operation: Mapping[str, Any], rule: OwnerRule) -> Iterator[int]:
    yield from (421, 500, 503)
    if rule != "public":
        yield 401
    if rule == "owned":
        yield 404
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        yield from (400, 413)
    if "application/json" in content:
        yield 415
    # Text in a path is an id that exists or does not.
    if content or any(one["in"] != "path" for one in operation.get("parameters", ())):
        yield 422


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model=ProblemAnswer.__name__)}
    answer: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": schema}},
    }
    return answer | {"headers": dict(HEADERS[status])} if status in HEADERS else answer
