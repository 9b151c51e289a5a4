"""The security headers of every answer, and which host names requests may be for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carrel.server.problems import problem_response

__all__ = ["CONTENT_SECURITY_POLICY", "HostCheck", "SecurityHeaders", "host_name"]

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'"
)
_ALWAYS: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_API: Final = (b"cache-control", b"private, no-store")
_HTTPS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


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
                own = dict(_ALWAYS)
                if scope["path"].startswith("/api/"):
                    own.update((_API,))
                if scope["scheme"] == "https":
                    own.update((_HTTPS,))
                theirs = [header for header in message.get("headers", ()) if header[0].lower() not in own]
                message["headers"] = [*theirs, *own.items()]
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
