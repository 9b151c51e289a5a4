"""An aiohttp application that shows an inbox."""

from acme import llm
from acme.auth import verify
from aiohttp import web

INBOX: dict[str, str] = {}


@web.middleware
async def session(request, handler):
    request.app["user"] = verify(request.headers["Authorization"])
    return await handler(request)


async def inbox(request):
    heading = await llm.complete("a heading")
    user = request.app["user"]
    return web.json_response({"heading": heading, "inbox": INBOX.get(user.id)})


app = web.Application(middlewares=[session])
app.router.add_route("GET", "/inbox", inbox)
