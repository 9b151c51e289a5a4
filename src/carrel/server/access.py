"""Who may reach a route: every route declares an owner rule, and every identity comes from a verified token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar, get_args

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from carrel.context import UserContext, ambient_context
from carrel.errors import AuthenticationError, SettingsError
from carrel.server.correlation import REQUEST_ID
from carrel.server.operators import current_operator
from carrel.server.problems import error_response

__all__ = [
    "CurrentUser",
    "Identity",
    "OwnerRule",
    "RequireIdentity",
    "check_routes",
    "current_identity",
    "declared_routes",
    "owner_rule",
]

OwnerRule = Literal["public", "caller", "owned", "operator"]
"""`public`: nobody needs to be known. `caller`: about the caller and nobody else. `owned`: what the ids in the path
name belongs to the caller, or does not exist for them. `operator`: about no user, and only for who runs the server."""

API: Final = "/api/"
_RULE: Final = "__carrel_owner_rule__"
_IDENTITY: Final = "carrel.identity"

Endpoint = TypeVar("Endpoint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A verified caller."""

    user: UserContext
    """Who it is, in a context made for this request."""
    session_id: str
    """The sign-in that the token belongs to; ending it ends the token."""
    expires_at: float
    """When the token expires, in POSIX seconds."""


class TokenVerifier(Protocol):
    """What turns a token into an identity."""

    async def verify(self, token: str) -> Identity:
        """The caller that a valid token names; raises `AuthenticationError` for any other."""
        ...


@dataclass(frozen=True, slots=True)
class DeclaredRoute:
    """One route and its rule, for checks and for tests that go over all of them."""

    path: str
    methods: frozenset[str]
    rule: OwnerRule
    route: BaseRoute

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the ids in the path, in order."""
        return () if isinstance(self.route, Mount) else tuple(re.findall(r"{(\w+)", self.path))


def owner_rule(rule: OwnerRule) -> Callable[[Endpoint], Endpoint]:
    """Declare an endpoint's rule; goes below the route decorator, or round an ASGI app that is mounted."""
    if rule not in get_args(OwnerRule):
        raise SettingsError("owner_rule", f"{rule!r} is none; there are: {', '.join(get_args(OwnerRule))}")

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _RULE, rule)
        return endpoint

    return declare


def declared_routes(app: FastAPI) -> Iterator[DeclaredRoute]:
    """Every route of `app`, also of included routers; raises `SettingsError` for one without a sound rule.

    A route with an id in its path must be `owned`. An HTTP route that is `caller` or `owned` must lie below `/api/`,
    where `RequireIdentity` stands in front, and take the identity (`CurrentUser`), so that it cannot forget whom it is
    for; one that is `operator` must take `CurrentOperator`, so that it cannot forget to look.
    """
    for context in iter_route_contexts(app.routes):
        path = str(context.path)
        endpoint = context.endpoint or getattr(context.original_route, "app", None)
        rule = getattr(endpoint, _RULE, None)
        if rule is None:
            raise SettingsError(
                path, f"declares no owner rule; put @owner_rule below its decorator: {', '.join(get_args(OwnerRule))}"
            )
        declared = DeclaredRoute(path, frozenset(context.methods or ()), rule, context.original_route)
        if declared.parameters and rule != "owned":
            raise SettingsError(path, f"has an id in its path and the rule {rule!r}; it must be 'owned'")
        dependant = getattr(context, "dependant", None)
        if rule == "operator":
            if not _takes(dependant, current_operator):
                raise SettingsError(path, "has the rule 'operator' and does not ask who it is: add CurrentOperator")
        elif rule != "public" and not isinstance(context.original_route, WebSocketRoute):
            if not path.startswith(API):
                raise SettingsError(path, f"has the rule {rule!r} and is not below {API}, where tokens are checked")
            if not _takes(dependant, current_identity):
                raise SettingsError(path, f"has the rule {rule!r} and does not take the identity: add CurrentUser")
        yield declared


def check_routes(app: FastAPI) -> tuple[DeclaredRoute, ...]:
    """Every route of `app`; raises `SettingsError` naming the first that declares no sound owner rule."""
    return tuple(declared_routes(app))


def _takes(dependant: object, dependency: Callable[..., object]) -> bool:
    return isinstance(dependant, Dependant) and (
        dependant.call is dependency or any(_takes(one, dependency) for one in dependant.dependencies)
    )


class RequireIdentity:
    """Verifies the Bearer token of every request below `/api/` before its body is read; `public` paths excepted.

    What is not known to be public is refused, so an unknown path is, too.
    """

    def __init__(
        self, app: ASGIApp, verifier: Callable[[], TokenVerifier], public: Callable[[], frozenset[str]]
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(API) and scope["path"] not in self._public():
            try:
                identity = await self._verifier().verify(_bearer(scope))
            except AuthenticationError as error:
                await error_response(error)(scope, receive, send)
                return
            user = replace(identity.user, request_id=scope.get(REQUEST_ID, identity.user.request_id))
            scope[_IDENTITY] = replace(identity, user=user)
            structlog.contextvars.bind_contextvars(user_id=user.user_id)
            # Whatever touches a store or a log with somebody else's context from here on is stopped.
            with ambient_context(user):
                await self._app(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _bearer(scope: Scope) -> str:
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) != 1:
        raise AuthenticationError("there is not exactly one Authorization header")
    scheme, _, token = found[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationError("the Authorization header holds no Bearer token")
    return str(token.strip())


async def current_identity(request: Request) -> Identity:
    """The caller that `RequireIdentity` verified."""
    identity: Any = request.scope.get(_IDENTITY)
    if not isinstance(identity, Identity):
        raise AuthenticationError("nobody was verified for this request")
    return identity


CurrentUser = Annotated[Identity, Depends(current_identity)]
"""What an endpoint that is not public takes: `async def endpoint(identity: CurrentUser)`."""
