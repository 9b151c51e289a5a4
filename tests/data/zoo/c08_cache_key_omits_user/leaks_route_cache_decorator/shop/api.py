from acme.auth import verify
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from .caching import cached

BASKETS: dict[str, list[str]] = {}


class SignIn:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            scope.setdefault("state", {})["user"] = verify(headers.get("authorization"))
        await self.app(scope, receive, send)


async def put(request: Request):
    BASKETS.setdefault(request.state.user.id, []).append(request.query_params["item"])
    return PlainTextResponse("")


@cached(seconds=60)
async def basket(request: Request):
    return PlainTextResponse(", ".join(BASKETS.get(request.state.user.id, [])))


app = Starlette(
    routes=[Route("/basket/items", put, methods=["PUT"]), Route("/basket", basket)],
    middleware=[Middleware(SignIn)],
)
