"""Owner rules: a route without one stops the server, and identities come from tokens only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from carrel.context import RequestId, UserContext, UserId, check_ambient
from carrel.errors import AuthenticationError, SettingsError
from carrel.server.access import CurrentUser, Identity, RequireIdentity, check_routes, owner_rule
from carrel.server.problems import install_problems


def bare() -> FastAPI:
    return FastAPI(openapi_url=None)


async def unmarked() -> None: ...


@owner_rule("public")
async def public() -> None: ...


@owner_rule("public")
async def public_with_id(thing_id: str) -> None: ...


@owner_rule("owned")
async def owned(thing_id: str, identity: CurrentUser) -> dict[str, str]:
    return {"user": identity.user.user_id}


@owner_rule("operator")
async def operator_without_looking() -> None: ...


@owner_rule("owned")
async def owned_without_identity(thing_id: str) -> None: ...


@owner_rule("caller")
async def caller(identity: CurrentUser) -> dict[str, str]:
    return {"user": identity.user.user_id, "request": identity.user.request_id}


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("static")(scope, receive, send)


def test_sound_routes_are_listed_with_their_rules() -> None:
    app = bare()
    router = APIRouter(prefix="/things")
    router.get("/{thing_id}")(owned)
    inner = APIRouter(prefix="/api/v1")
    inner.include_router(router)
    app.include_router(inner)
    app.get("/api/v1/me")(caller)
    app.get("/healthz")(public)
    app.router.routes.append(Mount("/static", owner_rule("public")(StaticFiles(directory="."))))
    found = {(one.path, one.rule, one.parameters) for one in check_routes(app)}
    assert found == {
        ("/api/v1/things/{thing_id}", "owned", ("thing_id",)),
        ("/api/v1/me", "caller", ()),
        ("/healthz", "public", ()),
        ("/static", "public", ()),
    }


def included(path: str, endpoint: Any) -> FastAPI:
    app, router = bare(), APIRouter()
    router.get(path)(endpoint)
    app.include_router(router, prefix="/api/v1")
    return app


def mounted(app: Any) -> FastAPI:
    outer = bare()
    outer.mount("/api/v1/sub", app)
    return outer


def with_route(route: Any) -> FastAPI:
    app = bare()
    app.router.routes.append(route)
    return app


@pytest.mark.parametrize(
    ("app", "said"),
    [
        (included("/x", unmarked), "declares no owner rule"),
        (mounted(bare()), "declares no owner rule"),
        (mounted(asgi), "declares no owner rule"),
        (with_route(Route("/x", lambda request: PlainTextResponse("x"))), "declares no owner rule"),
        (with_route(WebSocketRoute("/ws", unmarked)), "declares no owner rule"),
        (FastAPI(), "declares no owner rule"),
        (included("/x/{thing_id}", public_with_id), "must be 'owned'"),
        (included("/x/{thing_id}", owned_without_identity), "does not take the identity"),
        (included("/x/{thing_id:path}", public_with_id), "must be 'owned'"),
        (included("/x", operator_without_looking), "does not ask who it is: add CurrentOperator"),
    ],
    ids=[
        "included",
        "mounted app",
        "mounted asgi",
        "starlette",
        "websocket",
        "openapi",
        "public id",
        "owned",
        "path",
        "operator",
    ],
)
def test_an_unsound_route_stops_the_server(app: FastAPI, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        check_routes(app)


def test_a_route_about_the_caller_lies_where_tokens_are_checked() -> None:
    app = bare()
    app.get("/me")(caller)
    with pytest.raises(SettingsError, match="not below /api/"):
        check_routes(app)


def test_a_misspelt_rule_is_refused() -> None:
    with pytest.raises(SettingsError, match="there are: public, caller, owned"):
        owner_rule(cast("Any", "everybody"))


class OneToken:
    async def verify(self, token: str) -> Identity:
        if token != "good":
            raise AuthenticationError(f"{token} is not good")
        user = UserContext(user_id=UserId("ann"), request_id=RequestId("r1"))
        return Identity(user=user, session_id="s1", expires_at=0.0)


def client(public_paths: frozenset[str] = frozenset()) -> httpx.AsyncClient:
    app = bare()
    install_problems(app)
    app.add_middleware(RequireIdentity, verifier=OneToken, public=lambda: public_paths)
    app.get("/api/v1/me")(caller)
    app.get("/api/v1/open")(public)
    app.get("/naked")(caller)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def test_a_good_token_is_the_identity() -> None:
    async with client() as http:
        answer = await http.get("/api/v1/me", headers={"Authorization": "bearer  good"})
    assert answer.json()["user"] == "ann"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "good")],
        [("Authorization", "Basic good")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer  ")],
        [("Authorization", "Bearer bad")],
        [("Authorization", "Bearer good"), ("Authorization", "Bearer good")],
        [("Cookie", "token=good; access_token=good"), ("X-User", "ann"), ("X-Access-Token", "good")],
    ],
    ids=str,
)
async def test_anything_else_gets_one_and_the_same_answer(headers: list[tuple[str, str]]) -> None:
    async with client() as http:
        answer = await http.get("/api/v1/me?token=good&access_token=good&user_id=ann", headers=headers)
        baseline = await http.get("/api/v1/me")
    assert (answer.status_code, answer.content, answer.headers) == (401, baseline.content, baseline.headers)
    assert answer.json()["code"] == "not_authenticated"


async def test_unknown_paths_of_the_api_are_refused_before_they_are_missing() -> None:
    async with client() as http:
        assert (await http.get("/api/v1/unknown")).status_code == 401
        assert (await http.get("/api/v1/unknown", headers={"Authorization": "Bearer good"})).status_code == 404
        assert (await http.get("/elsewhere")).status_code == 404


async def test_public_paths_need_no_token() -> None:
    async with client(frozenset({"/api/v1/open"})) as http:
        assert (await http.get("/api/v1/open")).status_code == 200
        assert (await http.get("/api/v1/me")).status_code == 401


async def test_an_endpoint_out_of_the_guards_sight_gets_nobody() -> None:
    async with client() as http:
        answer = await http.get("/naked", headers={"Authorization": "Bearer good"})
    assert answer.status_code == 401


async def test_a_route_that_reaches_for_somebody_else_is_stopped() -> None:
    @owner_rule("caller")
    async def confused(identity: CurrentUser) -> None:
        check_ambient(identity.user, "a store")
        check_ambient(UserContext(user_id=UserId("bob"), request_id=RequestId("r2")), "a store")

    app = bare()
    install_problems(app)
    app.add_middleware(RequireIdentity, verifier=OneToken, public=frozenset)
    app.get("/api/v1/confused")(confused)
    transport = httpx.ASGITransport(app)
    with structlog.testing.capture_logs() as logs:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.get("/api/v1/confused", headers={"Authorization": "Bearer good"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "a store belongs to another user" in str(logs)
    check_ambient(UserContext(user_id=UserId("bob"), request_id=RequestId("r2")), "a store")


async def test_the_body_of_an_unknown_caller_is_not_read() -> None:
    sent = []

    async def body() -> AsyncIterator[bytes]:
        sent.append(1)
        yield b"x"

    async with client() as http:
        await http.post("/api/v1/me", content=body())
    # httpx hands over the body on receive(), which nobody called.
    assert sent == []
