from acme import llm
from acme.auth import verify
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from . import runtime

LETTERS: dict[str, str] = {}


async def letter(request: Request):
    runtime.USER = verify(request.headers["authorization"])
    greeting = await llm.complete(f"a greeting in {runtime.LOCALE}")
    return JSONResponse({"greeting": greeting, "letter": LETTERS.get(runtime.USER.id)})


app = Starlette(routes=[Route("/letter", letter)])
