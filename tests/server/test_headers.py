"""Security headers on every answer, and only for hosts that are ours."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Receive, Scope, Send

from carrel.server.headers import CONTENT_SECURITY_POLICY, HostCheck, SecurityHeaders, host_name


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("x", headers={"Cache-Control": "public", "X-Frame-Options": "ALLOW"})(scope, receive, send)


async def ask(url: str, allowed: tuple[str, ...] = (), **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(SecurityHeaders(HostCheck(app, allowed)))
    async with httpx.AsyncClient(transport=transport) as http:
        return await http.get(url, headers=headers)


async def test_every_answer_is_hardened() -> None:
    answer = await ask("http://localhost/api/v1/x")
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Strict-Transport-Security" not in answer.headers


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    directives = dict(part.strip().partition(" ")[::2] for part in CONTENT_SECURITY_POLICY.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["object-src"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


async def test_api_answers_are_never_stored() -> None:
    assert (await ask("http://localhost/api/v1/x")).headers["Cache-Control"] == "private, no-store"
    assert (await ask("http://localhost/static/x")).headers["Cache-Control"] == "public"


async def test_hsts_is_for_https_only() -> None:
    assert "max-age" in (await ask("https://localhost/")).headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("host", "allowed", "status"),
    [
        ("localhost:8000", ("localhost",), 200),
        ("LOCALHOST", ("localhost",), 200),
        ("[::1]:8000", ("[::1]",), 200),
        ("a.example.org", ("*.example.org",), 200),
        ("anything", (), 200),
        ("evil.example", ("localhost",), 421),
        ("example.org", ("*.example.org",), 421),
        ("notexample.org", ("*.example.org",), 421),
        ("localhost.evil.example", ("localhost",), 421),
        ("", ("localhost",), 421),
    ],
)
async def test_only_allowed_hosts_are_answered(host: str, allowed: tuple[str, ...], status: int) -> None:
    answer = await ask("http://localhost/", allowed, Host=host)
    assert answer.status_code == status
    assert answer.headers["X-Frame-Options"] == "DENY"
    if status == 421:
        assert answer.json()["code"] == "host_not_allowed"


def test_sockets_for_other_hosts_are_refused() -> None:
    client = TestClient(SecurityHeaders(HostCheck(app, ("localhost",))))
    with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect("/ws"):
        pass
    assert caught.value.status_code == 421


@pytest.mark.parametrize(
    ("header", "name"),
    [("A.example:80", "a.example"), ("[::1]:80", "[::1]"), ("[::1", "[::1]"), ("", ""), (" x ", "x")],
)
def test_host_names_lose_their_port(header: str, name: str) -> None:
    assert host_name(header) == name
