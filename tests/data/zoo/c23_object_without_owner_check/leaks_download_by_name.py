"""Uploaded files of an aiohttp application."""

from acme.auth import verify
from aiohttp import web

routes = web.RouteTableDef()
FILES: dict[str, tuple[str, str]] = {}


@web.middleware
async def signed_in(request, handler):
    request["user"] = verify(request.headers.get("Authorization"))
    if request["user"] is None:
        raise web.HTTPUnauthorized
    return await handler(request)


@routes.put("/files/{name}")
async def upload(request):
    FILES[request.match_info["name"]] = (request["user"].id, await request.text())
    return web.Response(status=204)


@routes.get("/files/{name}")
async def download(request):
    owner, text = FILES.get(request.match_info["name"], (None, None))
    if owner is None:
        raise web.HTTPNotFound
    return web.Response(text=text)


app = web.Application(middlewares=[signed_in])
app.add_routes(routes)
