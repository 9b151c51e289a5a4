"""Which web pages may open a WebSocket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

__all__ = ["origin_allowed"]

_SCHEMES: Final = (("ws", "http"), ("wss", "https"), ("http", "http"), ("https", "https"))
_PORTS: Final = (("http", 80), ("https", 443))


def origin_allowed(headers: Headers, scheme: str, allowed: Iterable[str]) -> bool:
    """Whether a request with these headers may open a connection; `scheme` is the request's, `ws` or `wss`.

    A client that is no browser sends no Origin and is allowed: it cannot be made to use somebody's cookies or tokens.
    A browser's page must be of the same origin as the server or in `allowed`.
    """
    origins = headers.getlist("origin")
    if not origins:
        return True
    if len(origins) > 1:
        return False
    origin = _normal(origins[0])
    if origin is None:
        return False
    own = _normal(f"{dict(_SCHEMES).get(scheme, scheme)}://{headers.get('host', '')}")
    return origin == own or any(origin == _normal(one) for one in allowed)


def _normal(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is no origin, such as `null`."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    default = dict(_PORTS).get(parts.scheme)
    if default is None or not parts.hostname or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, default if port is None else port
