"""Who may read what concerns the server and none of its users."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, HTTPException, Request

if TYPE_CHECKING:
    from carrel.server.settings import Settings

__all__ = ["CurrentOperator", "current_operator"]

ASK: Final = "send the token of CARREL_METRICS_TOKEN as Authorization: Bearer"


async def current_operator(request: Request) -> None:
    """Let through who sends the token of the settings.

    Without one in the settings: whoever is on this machine, in development on a loopback address; to anybody else there
    is no such page. A proxy on this machine makes everybody look as if they were on it, hence not in production.
    """
    settings: Settings = request.app.state.services.settings
    if settings.metrics_token is None:
        if settings.guarded or not _is_here(request):
            raise HTTPException(404)
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    expected = settings.metrics_token.get_secret_value()
    if scheme.lower() != "bearer" or not compare_digest(token.strip().encode(), expected.encode()):
        raise HTTPException(401, ASK, {"WWW-Authenticate": 'Bearer realm="carrel"'})


CurrentOperator = Annotated[None, Depends(current_operator)]
"""What an endpoint takes that is for who runs the server."""


def _is_here(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
