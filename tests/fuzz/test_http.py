"""The HTTP API, asked what its own OpenAPI document allows and what it does not: the answers are as documented."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from carrel.context import new_id
from carrel.server.app import create_app
from carrel.server.description import describe
from tests.fuzz.background import Background, background
from tests.server.served import Caller, settings_for

DOCUMENT = describe(create_app(settings_for(Path("/nonexistent"))))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config(seed=1))
OPERATIONS = [(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item]
# Whoever asks for these is nobody afterwards.
LAST_REQUESTS = (("DELETE", "/api/v1/me"), ("POST", "/api/v1/auth/logout"))
# Beyond what JSON Schema can say (printable, not blank, field=column), a value is refused by name: see `named`.
NOT_CHECKED: list[Any] = [positive_data_acceptance]

Case = schemathesis.Case[Any]

derived = settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    with background(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


@pytest.fixture(scope="module")
def ann(server: Background) -> Caller:
    return server.user()


@pytest.fixture(scope="module")
def bob(server: Background) -> Caller:
    return server.user()


@pytest.fixture(scope="module")
def ids(server: Background, ann: Caller) -> dict[str, str]:
    found: dict[str, str] = server.call(ann.belongings)
    return found


def as_request(case: Case, caller: Caller, **headers: str) -> httpx.Request:
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
    assert prepared.method is not None
    assert prepared.url is not None
    body: Any = prepared.body or b""
    sent = {name: str(value) for name, value in prepared.headers.items() if name.lower() != "authorization"}
    return httpx.Request(prepared.method, prepared.url, headers=sent | bearer(caller) | headers, content=body)


def bearer(caller: Caller) -> dict[str, str]:
    return {"Authorization": f"Bearer {caller.access_token}"}


def check(case: Case, answer: httpx.Response) -> None:
    """The answer is one that the document has; an error is a problem, and names what is wrong with the request."""
    case.validate_response(answer, excluded_checks=NOT_CHECKED)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["code"]
        if answer.status_code == 422:
            assert all(named(case, error["field"]) and error["message"] for error in problem["errors"]), problem
            assert problem["errors"]


def named(case: Case, field: str) -> bool:
    """Whether it is a part of the request that the document knows, or one that the request has and may not."""
    operation = DOCUMENT["paths"][case.path][case.method.lower()]
    parameters = {one["name"] for one in operation.get("parameters", ())}
    properties = {name for one in bodies(operation) for name in one.get("properties", ())}
    sent = set(case.body) if isinstance(case.body, dict) else set()
    return field == "body" or field.lower() in parameters | properties or field in sent


def bodies(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for one in (content["schema"], *content["schema"].get("anyOf", ())):
            reference = one.get("$ref", "").rpartition("/")[2]
            yield DOCUMENT["components"]["schemas"].get(reference, one)


@SCHEMA.parametrize()
@derived
def test_every_answer_is_as_documented(case: Case, server: Background, ann: Caller) -> None:
    caller = server.user() if (case.method, case.path) in LAST_REQUESTS else ann
    check(case, server.ask(as_request(case, caller)))


@SCHEMA.include(path_regex="{").parametrize()
@derived
def test_ids_of_somebody_else_answer_like_missing_ones_and_change_nothing(
    case: Case, server: Background, ann: Caller, bob: Caller, ids: dict[str, str]
) -> None:
    if case.method == "DELETE":
        # It can be deleted once. Runs that never answer are limited, so none is kept.
        ids = server.call(ann.belongings)
        server.ask(httpx.Request("POST", f"http://localhost/api/v1/runs/{ids['run_id']}/cancel", headers=bearer(ann)))
    if isinstance(case.body, dict) and "agent" in case.body:
        case.body["agent"] = "echo"
    parameters = tuple(case.path_parameters or ())

    def ask(caller: Caller, values: dict[str, str], **headers: str) -> httpx.Response:
        case.path_parameters = {name: values[name] for name in parameters}
        return server.ask(as_request(case, caller, **headers))

    for headers in ({}, {"Accept": "text/event-stream"}):
        foreign, absent = ask(bob, ids, **headers), ask(bob, {name: new_id() for name in parameters}, **headers)
        assert (foreign.status_code, foreign.headers.raw, foreign.content) == (
            absent.status_code,
            absent.headers.raw,
            absent.content,
        )
        assert foreign.status_code >= 400
        assert not any(value in foreign.text for value in ids.values() if value != "call")
        own = ask(ann, ids, **headers)
        assert own.status_code != 404 or "approvals" in case.path or case.method == "DELETE", own.text
        check(case, own)


@pytest.mark.parametrize(
    ("method", "path"), [one for one in OPERATIONS if "security" in str(DOCUMENT["paths"][one[1]])]
)
def test_what_is_described_as_protected_is(server: Background, method: str, path: str) -> None:
    if "security" not in DOCUMENT["paths"][path][method.lower()]:
        pytest.skip("public")
    answers = [
        server.ask(httpx.Request(method, f"http://localhost{path.format_map(Anything())}", headers=headers))
        for headers in ({}, {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."})
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content


class Anything(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "anything"


def test_an_answer_that_is_not_described_would_be_seen(server: Background, ann: Caller) -> None:
    silent = copy.deepcopy(DOCUMENT)
    del silent["paths"]["/api/v1/runs/{run_id}"]["get"]["responses"]["404"]
    wrong = copy.deepcopy(DOCUMENT)
    wrong["components"]["schemas"]["ProblemAnswer"]["properties"]["code"] = {"type": "integer"}
    for document, seen in ((silent, "Undocumented status code"), (wrong, "Response violates schema")):
        operation = schemathesis.openapi.from_dict(document)["/api/v1/runs/{run_id}"]["GET"]
        case = operation.Case(path_parameters={"run_id": "missing"})
        with pytest.raises(FailureGroup) as found:
            check(case, server.ask(as_request(case, ann)))
        assert seen in str(found.value)
