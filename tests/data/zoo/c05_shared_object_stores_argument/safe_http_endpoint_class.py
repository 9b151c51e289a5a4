"""Documents, served by Starlette."""

from acme import llm
from acme.auth import verify
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

DOCUMENTS: dict[str, str] = {}


class Documents(HTTPEndpoint):
    async def post(self, request: Request):
        self.owner = verify(request.headers["authorization"])
        body = await request.json()
        DOCUMENTS[self.owner.id] = body["text"]
        title = await llm.complete("a title")
        return self.render(title)

    def render(self, title):
        return JSONResponse({"title": title, "text": DOCUMENTS[self.owner.id]})


app = Starlette(routes=[Route("/documents", Documents)])
