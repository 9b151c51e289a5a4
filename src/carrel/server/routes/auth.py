"""`/auth`: sign in, renew, sign out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from carrel.errors import AuthenticationError, ThrottledError
from carrel.server.access import owner_rule
from carrel.server.authenticator import EXTERNAL_SESSION
from carrel.server.description import problems
from carrel.server.problems import problem_response
from carrel.server.routes import API_PREFIX
from carrel.server.routes.bodies import RequestBody, StorableText
from carrel.server.services import CurrentServices, Services
from carrel.server.sessions import Grant
from carrel.server.throttle import address_key

__all__ = ["auth_routes"]

LOGGED_OUT = (4501, "logged out")


class PasswordForm(BaseModel):
    """RFC 6749, section 4.3.2; parameters that it does not know are ignored, as section 3.2 asks."""

    grant_type: Literal["password"] = "password"
    username: Annotated[str, Field(max_length=1024)]
    password: Annotated[SecretStr, Field(max_length=4096)]


class TokenAnswer(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the type's name
    expires_in: int


class RefreshBody(RequestBody):
    """A refresh token, to be exchanged."""

    refresh_token: StorableText


class LogoutBody(RequestBody):
    """A refresh token whose session is to end, for a client whose access token has expired."""

    refresh_token: StorableText | None = None


def auth_routes() -> APIRouter:
    """The routes below `/auth`."""
    router = APIRouter(prefix=f"{API_PREFIX}/auth", tags=["auth"])

    @router.post("/token", response_model=TokenAnswer, responses=problems(401, 429))
    @owner_rule("public")
    async def sign_in(
        request: Request,
        services: CurrentServices,
        form: Annotated[PasswordForm, Form()],
    ) -> Response | TokenAnswer:
        """OAuth 2 password form: a new session for a user's name and password."""
        address = address_key(request.client.host if request.client else None)
        try:
            return _answer(await services.sessions.sign_in(form.username, form.password.get_secret_value(), address))
        except ThrottledError:
            raise
        except AuthenticationError as error:
            return problem_response(401, "wrong_credentials", error.reason)

    @router.post("/refresh", response_model=TokenAnswer, responses=problems(401))
    @owner_rule("public")
    async def refresh(services: CurrentServices, body: RefreshBody) -> Response | TokenAnswer:
        """New tokens for a refresh token. Each is good once: using one again ends its session."""
        try:
            return _answer(await services.sessions.refresh(body.refresh_token))
        except AuthenticationError:
            ended = await services.sessions.ended_session(body.refresh_token)
            if ended is not None:
                await services.connections.close_session(ended, *LOGGED_OUT)
            return problem_response(401, "invalid_refresh_token", "the refresh token is not valid; sign in again")

    @router.post("/logout", status_code=204, responses=problems(401))
    @owner_rule("public")
    async def sign_out(request: Request, services: CurrentServices, body: LogoutBody | None = None) -> Response:
        """End the session of the Bearer token, or of a refresh token, and close its connections."""
        scheme, _, access = request.headers.get("authorization", "").partition(" ")
        access = access.strip() if scheme.lower() == "bearer" else ""
        if access and await _end_by_access(services, access, otherwise=body):
            return Response(status_code=204)
        if body is None or body.refresh_token is None:
            raise AuthenticationError("there is no token to sign out with")
        ended = await services.sessions.end_of(body.refresh_token)
        if ended is not None:
            await services.connections.close_session(ended, *LOGGED_OUT)
        return Response(status_code=204)

    return router


async def _end_by_access(services: Services, access: str, *, otherwise: LogoutBody | None) -> bool:
    """Whether the token was good for it; one that is not is passed over when there is a refresh token to try."""
    try:
        identity = await services.authenticator.verify(access)
    except AuthenticationError:
        if otherwise is None or otherwise.refresh_token is None:
            raise
        return False
    if identity.session_id.startswith(EXTERNAL_SESSION):
        # The provider's session goes on, and with it the user may come back at once: it is not remembered as ended.
        await services.connections.close_user(identity.user.user_id, *LOGGED_OUT)
    else:
        await services.sessions.end(identity.session_id)
        await services.connections.close_session(identity.session_id, *LOGGED_OUT)
    return True


def _answer(grant: Grant) -> TokenAnswer:
    return TokenAnswer(access_token=grant.access_token, refresh_token=grant.refresh_token, expires_in=grant.expires_in)
