"""The application as a whole: every route, every kind of error, every stranger."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import structlog
from fastapi import APIRouter

import carrel.server.app
from carrel.context import new_id
from carrel.errors import SettingsError
from carrel.server.access import DeclaredRoute, check_routes
from carrel.server.app import create_app
from carrel.server.logs import configure_logging
from tests.server.served import Caller, Served, client, served, settings_for

# What a route that takes a body needs in order to reach its ids. A new one must be added here, or its test fails.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/api/v1/threads/{thread_id}"): {"title": "Mine now"},
    ("POST", "/api/v1/threads/{thread_id}/runs"): {"input": "hello", "agent": "echo"},
    ("POST", "/api/v1/runs/{run_id}/approvals/{tool_call_id}"): {"approved": True},
}
JUNK = {
    "empty": b"",
    "not json": b"{",
    "not utf-8": b'{"title": "\xff\xfe", "input": "\xff", "refresh_token": "\xff"}',
    "nul": b'{"title": "a\\u0000b", "agent": "a\\u0000b", "input": "a\\u0000b",'
    b' "refresh_token": "a\\u0000b", "approved": "a\\u0000b"}',
    "surrogate": b'{"title": "\\ud800", "agent": "\\ud800", "input": "\\ud800",'
    b' "refresh_token": "\\ud800", "approved": "\\ud800"}',
    "huge number": b'{"title": ' + b"9" * 10_000 + b', "input": 1e999, "refresh_token": 1e999, "approved": 1e999}',
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 20_000,
    "array": b"[]",
    "null": b"null",
    "nan": b'{"title": NaN, "input": NaN, "refresh_token": NaN, "approved": NaN}',
    "extra": b'{"title": "x", "input": "x", "refresh_token": "x", "approved": true, "user_id": "ann"}',
    "bom": b"\xef\xbb\xbf{}",
    "number": b"1",
}


ROUTES: tuple[DeclaredRoute, ...] = check_routes(create_app(settings_for(Path("/nonexistent"))))


def owned() -> Iterator[Any]:
    for route in ROUTES:
        if route.rule == "owned":
            for method in sorted(route.methods - {"HEAD"}):
                yield pytest.param(method, route.path, route.parameters, id=f"{method} {route.path}")


OWNED = tuple(owned())


def test_there_are_owned_routes_to_try() -> None:
    assert len(OWNED) >= 9


@pytest.mark.parametrize(("method", "path", "parameters"), OWNED)
async def test_foreign_ids_answer_like_missing_ones(
    server: Served, method: str, path: str, parameters: tuple[str, ...]
) -> None:
    ann = await server.user("ann", "usage:read", "usage:write")
    bob = await server.user("bob", "usage:read", "usage:write")
    ids = await ann.belongings()
    missing = {name: new_id() for name in ids}
    body = BODIES.get((method, path))

    async def ask(caller: Caller, values: dict[str, str]) -> httpx.Response:
        url = path.format(**{name: values[name] for name in parameters})
        return await caller.http.request(method, url, json=body)

    before = await snapshot(ann, ids)
    foreign, absent = await ask(bob, ids), await ask(bob, missing)
    assert foreign.status_code == 404, foreign.text
    assert (foreign.status_code, foreign.content, foreign.headers.raw) == (
        absent.status_code,
        absent.content,
        absent.headers.raw,
    )
    assert not any(value in foreign.text for value in ids.values())
    assert await snapshot(ann, ids) == before
    own = await ask(ann, ids)
    assert own.status_code < 400 or "approvals" in path, own.text


async def snapshot(caller: Caller, ids: dict[str, str]) -> list[Any]:
    answers = [
        await caller.http.get(f"/api/v1/threads/{ids['thread_id']}"),
        await caller.http.get(f"/api/v1/threads/{ids['thread_id']}/messages"),
        await caller.http.get(f"/api/v1/runs/{ids['run_id']}"),
        await caller.http.get(f"/api/v1/usage/imports/{ids['import_id']}"),
    ]
    states = [answer.json() for answer in answers]
    # An import goes on by itself.
    states[3] = states[3]["import_id"]
    states[2]["delivered"] = 0
    return states


async def test_lists_hold_only_what_is_mine(server: Served) -> None:
    ann = await server.user("ann", "usage:read", "usage:write")
    bob = await server.user("bob", "usage:read", "usage:write")
    await ann.belongings()
    while not (await ann.http.get("/api/v1/usage/summary")).json()["records"]:
        await anyio.sleep(0.01)  # an import goes on after it was accepted
    lists = ("/api/v1/threads", "/api/v1/usage/imports", "/api/v1/usage/summary", "/api/v1/me/statistics")
    for path in lists:
        mine, theirs = await ann.http.get(path), await bob.http.get(path)
        assert (mine.status_code, theirs.status_code) == (200, 200), path
        assert mine.json() != theirs.json(), path
    assert (await bob.http.get("/api/v1/threads")).json() == {"threads": [], "next": None}


async def test_the_same_idempotency_key_of_two_users_is_two_runs(server: Served) -> None:
    runs = set()
    for name in ("ann", "bob"):
        caller = await server.user(name)
        thread = (await caller.http.post("/api/v1/threads")).json()["thread_id"]
        for _ in range(2):
            answer = await caller.http.post(
                f"/api/v1/threads/{thread}/runs",
                json={"input": "hello", "agent": "echo"},
                headers={"Idempotency-Key": "one"},
            )
            runs.add(answer.json()["run_id"])
    assert len(runs) == 2


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
async def test_no_body_makes_a_route_fail(server: Served, junk: bytes) -> None:
    ann = await server.user("ann", "usage:read", "usage:write")
    for route in ROUTES:
        for method in sorted(route.methods & {"POST", "PATCH", "PUT"}):
            url = route.path.format(thread_id="t", run_id="r", tool_call_id="c", import_id="i")
            for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
                answer = await ann.http.request(method, url, content=junk, headers={"Content-Type": kind})
                assert answer.status_code < 500, f"{method} {url} {kind}: {answer.text}"
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == "application/problem+json"
                    assert answer.json()["code"]


@pytest.mark.parametrize(
    "path",
    [
        "/%00", "/static/%00", "/static/../settings.py", "/static/%2e%2e/settings.py", "/api/v1/threads/%00",
        "/api/v1/threads/%ff", "/api/v1/runs/%0a", "/api/v1/threads/" + "x" * 5000, "/api/v1/threads?limit=0",
        "/api/v1/threads?limit=9" + "9" * 5000, "/api/v1/threads?before=nothing", "/api/v1/events?after=x",
        "/api/v1/events?after=a:" + "9" * 400, "/api/v1/usage/summary?from=x", "/api/v1/threads/a/messages?limit=-1",
    ],
)  # fmt: skip
async def test_no_path_makes_a_route_fail(server: Served, path: str) -> None:
    ann = await server.user("ann", "usage:read")
    answer = await ann.http.get(path)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_every_kind_of_error_is_a_problem(server: Served) -> None:
    ann = await server.user("ann")
    answers = {
        401: await server.http.get("/api/v1/me"),
        403: await ann.http.get("/api/v1/usage/summary"),
        404: await ann.http.get("/api/v1/nothing"),
        405: await ann.http.put("/api/v1/threads"),
        413: await ann.http.post("/api/v1/threads", content=b"x" * (1024 * 1024 + 1)),
        415: await ann.http.post("/api/v1/threads", content=b'{"title": "x"}', headers={"Content-Type": "text/plain"}),
        422: await ann.http.post("/api/v1/threads", json={"title": ""}),
        421: await ann.http.get("/api/v1/me", headers={"Host": "evil.example"}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json", status
        assert set(answer.json()) >= {"type", "title", "status", "code"}, status
        assert answer.json()["status"] == status
    assert answers[405].headers["Allow"] == "GET, POST"
    assert answers[422].json()["errors"] == [{"field": "title", "message": "String should have at least 1 character"}]


async def test_what_fails_inside_says_nothing(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await server.user("ann")

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("SELECT hunter2 FROM users")

    monkeypatch.setattr(type(server.services.threads), "list_threads", broken)
    with structlog.testing.capture_logs():
        answer = await ann.http.get("/api/v1/threads")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "hunter2" not in answer.text
    assert answer.json()["request_id"]


async def test_every_answer_is_hardened_and_api_answers_are_not_stored(server: Served) -> None:
    ann = await server.user("ann")
    for path in ("/", "/static/app.js", "/healthz", "/readyz", "/openapi.json", "/nothing", "/api/v1/me", "/api/v1/no"):
        for http in (server.http, ann.http):
            answer = await http.get(path)
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"], path
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert (answer.headers.get("Cache-Control") == "private, no-store") is path.startswith("/api/"), path
            assert "Access-Control-Allow-Origin" not in answer.headers, path
            assert "server" not in answer.headers, path


async def test_only_allowed_origins_may_read_across(tmp_path: Path) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with served(settings_for(tmp_path, allowed_origins="https://chat.example")) as server:
        good = await server.http.options("/api/v1/threads", headers={**asked, "Origin": "https://chat.example"})
        bad = await server.http.options("/api/v1/threads", headers={**asked, "Origin": "https://evil.example"})
    assert good.headers["Access-Control-Allow-Origin"] == "https://chat.example"
    assert "Access-Control-Allow-Credentials" not in good.headers
    assert "Access-Control-Allow-Origin" not in bad.headers


async def test_the_description_names_every_route_and_needs_no_foreign_page(server: Served) -> None:
    described = (await server.http.get("/openapi.json")).json()
    http_routes = {route.path for route in ROUTES if route.path.startswith("/api/")}
    assert set(described["paths"]) >= http_routes
    assert (await server.http.get("/docs")).status_code == 404
    assert (await server.http.get("/redoc")).status_code == 404


def test_a_route_without_a_rule_stops_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forgetful() -> APIRouter:
        router = APIRouter()

        @router.get("/everything")
        async def everything() -> None: ...

        return router

    monkeypatch.setattr(carrel.server.app, "health_routes", forgetful)
    with pytest.raises(SettingsError, match="/everything: declares no owner rule"):
        create_app(settings_for(tmp_path))


async def test_a_longer_body_is_accepted_for_uploads_only(tmp_path: Path) -> None:
    async with served(settings_for(tmp_path, max_body_bytes=2048, max_upload_bytes=100_000)) as server:
        ann = await server.user("ann", "usage:write")
        form = {"file": ("usage.csv", b"x" * 50_000)}
        assert (await ann.http.post("/api/v1/usage/imports", files=form)).status_code == 202
        assert (await ann.http.post("/api/v1/threads", files=form)).status_code == 413
        assert (await ann.http.post("/api/v1/usage/imports", files={"file": ("x", b"x" * 100_000)})).status_code == 413


async def test_an_upload_without_a_token_is_refused_before_it_is_read(server: Served) -> None:
    read = []

    async def upload() -> Any:
        read.append(1)
        yield b"x"

    answer = await server.http.post("/api/v1/usage/imports", content=upload())
    assert (answer.status_code, read) == (401, [])


async def test_no_secret_reaches_the_logs(tmp_path: Path) -> None:
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    settings = settings_for(tmp_path, environment="production", log_level="debug")
    secrets: list[str] = ["hunter2-hunter2"]
    try:
        configure_logging(settings, stream)
        async with served(settings) as server:
            ann = await server.user("ann")
            secrets += [ann.access_token, ann.refresh_token, ann.refresh_token.split(".")[1]]
            form = {"username": "ann", "password": "hunter2-hunter2"}
            await server.http.post("/api/v1/auth/token", data=form)
            await server.http.get("/api/v1/me?access_token=hunter2-hunter2", headers={"Cookie": "x=hunter2-hunter2"})
            await ann.http.get(f"/api/v1/me?token={ann.access_token}")
            await ann.http.post("/api/v1/auth/refresh", json={"refresh_token": ann.refresh_token})
            await ann.http.post("/api/v1/auth/refresh", json={"refresh_token": ann.refresh_token})
            await ann.http.post("/api/v1/auth/logout")
            await server.http.get("/api/v1/me", headers={"Authorization": "Bearer hunter2-hunter2"})
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    written = stream.getvalue()
    assert len(written.splitlines()) >= 6
    assert all(json.loads(line)["event"] for line in written.splitlines())
    assert not [secret for secret in secrets if secret in written]


async def test_the_page_is_served_with_its_files(server: Served) -> None:
    page = await server.http.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await server.http.get("/static/app.js")).status_code == 200
    assert (await server.http.get("/static/nothing.js")).status_code == 404
    unchanged = await server.http.get(
        "/static/app.js", headers={"If-None-Match": (await server.http.get("/static/app.js")).headers["etag"]}
    )
    assert (unchanged.status_code, unchanged.headers["Cache-Control"]) == (304, "no-cache")


async def test_services_end_with_the_lifespan(tmp_path: Path) -> None:
    async with served(settings_for(tmp_path)) as server:
        ann = await server.user("ann")
        run = await ann.start("wait", "stall")
    # Another one can take the database, and finds the run closed.
    async with served(settings_for(tmp_path)) as server:
        again = client(server.app, Authorization=f"Bearer {ann.access_token}")
        record = (await again.get(f"/api/v1/runs/{run['run_id']}")).json()
        await again.aclose()
    assert record["state"] == "interrupted"
