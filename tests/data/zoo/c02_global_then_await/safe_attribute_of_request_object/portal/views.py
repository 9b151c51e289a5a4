from acme import llm
from acme.auth import verify
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from . import runtime

LETTERS: dict[str, str] = {}


async def letter(request: Request):
    request.scope["portal.user"] = verify(request.headers["authorization"])
    greeting = await llm.complete(f"a greeting in {runtime.LOCALE}")
    return JSONResponse({"greeting": greeting, "letter": LETTERS.get(request.scope["portal.user"].id)})


app = Starlette(routes=[Route("/letter", letter)])
