"""`/me`: who the caller is, all that is kept about them, and how to be gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import anyio.to_thread
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from carrel.context import ambient_context
from carrel.errors import AuthenticationError
from carrel.events import timestamp
from carrel.server.access import CurrentUser, Identity, owner_rule
from carrel.server.description import problems, stream_of
from carrel.server.export import exported
from carrel.server.routes import API_PREFIX
from carrel.server.services import CurrentServices, Services
from carrel.storage.erasure import erase_user, refuse_busy

__all__ = ["me_routes"]

PIECE_BYTES: Final = 64 * 1024


class Me(BaseModel):
    """The caller."""

    user_id: str
    name: str
    permissions: list[str]
    session_id: str
    token_expires_at: str
    created_at: str


def me_routes() -> APIRouter:
    """The routes below `/me`."""
    router = APIRouter(prefix=f"{API_PREFIX}/me", tags=["me"])

    @router.get("")
    @owner_rule("caller")
    async def who_am_i(identity: CurrentUser, services: CurrentServices) -> Me:
        """Who I am."""
        account = await services.accounts.by_id(identity.user.user_id)
        if account is None:
            raise AuthenticationError("the account is gone")
        return Me(
            user_id=account.user_id,
            name=account.name,
            permissions=sorted(account.permissions),
            session_id=identity.session_id,
            token_expires_at=timestamp(identity.expires_at),
            created_at=account.created_at,
        )

    @router.get(
        "/export",
        response_class=StreamingResponse,
        responses={200: stream_of("application/zip", "The zip.")},
    )
    @owner_rule("caller")
    async def export(identity: CurrentUser, services: CurrentServices) -> StreamingResponse:
        """All that is kept about me, as a zip of one JSON Lines file per table."""
        return StreamingResponse(
            _pieces(services, identity),
            media_type="application/zip",
            headers={"Content-Disposition": 'attachment; filename="carrel-export.zip"'},
        )

    @router.delete("", status_code=204, responses=problems(409))
    @owner_rule("caller")
    async def erase_me(identity: CurrentUser, services: CurrentServices) -> Response:
        """Delete my account and all that is kept about me, for good; 409 `user_busy` while a run is open."""
        await refuse_busy(services.database, identity.user)
        # Closed before it: an open socket could start a run for somebody who is being erased.
        await services.connections.close_user(identity.user.user_id, 4501, "the account is being deleted")
        await erase_user(services.database, services.log, identity.user)
        return Response(status_code=204)

    return router


async def _pieces(services: Services, identity: Identity) -> AsyncIterator[bytes]:
    # The answer is sent after the middleware has said for whom it is: said again here.
    with ambient_context(identity.user):
        async with exported(services.database, identity.user) as file:
            while piece := await anyio.to_thread.run_sync(file.read, PIECE_BYTES):
                yield piece
