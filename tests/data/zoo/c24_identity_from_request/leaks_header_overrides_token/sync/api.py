from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .identity import identify

CONTACTS: dict[str, list[str]] = {}


async def contacts(request: Request):
    user = identify(request)
    if request.method == "POST":
        CONTACTS.setdefault(user.id, []).append((await request.json())["text"])
    return JSONResponse({"contacts": CONTACTS.get(user.id, [])})


app = Starlette(routes=[Route("/contacts", contacts, methods=["GET", "POST"])])
