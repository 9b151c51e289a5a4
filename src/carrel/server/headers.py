"""The security headers of every answer, and which host names requests may be for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carrel.server.problems import problem_response

__all__ = ["CONTENT_SECURITY_POLICY", "HostCheck", "SecurityHeaders", "host_name"]

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'"
)
_ALWAYS: Final = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_HSTS: Final = "max-age=31536000; includeSubDomains"


class SecurityHeaders:
    """Puts the security headers on every HTTP answer, and `Cache-Control: private, no-store` on those of the API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS:
                    headers[name] = value
                if scope["path"].startswith("/api/"):
                    headers["Cache-Control"] = "private, no-store"
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = _HSTS
            await send(message)

        await self._app(scope, receive, with_headers)


class HostCheck:
    """Refuses requests for host names that are not `allowed` (421), so that a page of a rebound DNS name gets nothing.

    `*.example.org` allows every name below; nothing allowed means that all are.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self._app = app
        self._exact = frozenset(name.lower() for name in allowed if not name.startswith("*."))
        self._below = tuple(name.lower()[1:] for name in allowed if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._allows(host_name(Headers(scope=scope).get("host", ""))):
            response = problem_response(
                421,
                "host_not_allowed",
                "this server does not answer for that host name; add it to the setting CARREL_ALLOWED_HOSTS",
            )
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _allows(self, name: str) -> bool:
        if not self._exact and not self._below:
            return True
        return name in self._exact or name.endswith(self._below or ("\0",))


def host_name(host: str) -> str:
    """The name in a Host header, lower case, without the port; an IPv6 address keeps its brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
