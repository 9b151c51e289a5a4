"""Tests of carrel.server.origin."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from carrel.server.origin import origin_allowed

ALLOWED = ("https://chat.example.org", "http://localhost:5173")


def headers(*origins: str, host: str = "carrel.example.org") -> Headers:
    return Headers(raw=[(b"host", host.encode()), *((b"origin", origin.encode()) for origin in origins)])


def test_a_client_that_is_no_browser_is_allowed():
    assert origin_allowed(headers(), "wss", ())


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("https://carrel.example.org", "carrel.example.org", "wss"),
        ("https://carrel.example.org", "carrel.example.org:443", "wss"),
        ("https://CARREL.example.org:443", "carrel.example.org", "wss"),
        ("http://localhost:8000", "localhost:8000", "ws"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
        ("http://127.0.0.1", "127.0.0.1:80", "ws"),
    ],
)
def test_a_page_of_this_server_is_allowed(origin: str, host: str, scheme: str):
    assert origin_allowed(headers(origin, host=host), scheme, ())


@pytest.mark.parametrize(
    "origin", ["https://chat.example.org", "https://chat.example.org:443", "http://localhost:5173"]
)
def test_a_page_of_the_list_is_allowed(origin: str):
    assert origin_allowed(headers(origin), "wss", ALLOWED)


@pytest.mark.parametrize(
    "origin",
    [
        "http://carrel.example.org",
        "https://carrel.example.org:8443",
        "https://evil.example.org",
        "https://carrel.example.org.evil.org",
        "https://evil.org/https://chat.example.org",
        "https://chat.example.org@evil.org",
        "https://user@chat.example.org",
        "http://chat.example.org",
        "http://localhost:5174",
        "null",
        "",
        "file://",
        "https://",
        "https://chat.example.org:port",
        "https://[broken",
        "*",
    ],
)
def test_any_other_page_is_refused(origin: str):
    assert not origin_allowed(headers(origin), "wss", ALLOWED)


def test_two_origins_are_refused():
    assert not origin_allowed(headers("https://chat.example.org", "https://chat.example.org"), "wss", ALLOWED)


def test_a_request_without_a_host_has_no_pages_of_its_own():
    assert not origin_allowed(Headers(raw=[(b"origin", b"https://")]), "wss", ())
    assert not origin_allowed(Headers(raw=[(b"origin", b"https://a.org")]), "wss", ())
