"""Stands in for aiohttp's server: routes, middlewares and requests, without a network."""

import json
import re
from types import SimpleNamespace


class Request(dict):
    def __init__(self, app, method, path, headers, body, match_info):
        super().__init__()
        self.app, self.method, self.path, self.headers = app, method, path, headers
        self._body, self.match_info = body, match_info

    async def text(self):
        return self._body

    async def json(self):
        return json.loads(self._body)


class Response:
    def __init__(self, *, text="", status=200, headers=None, body=b""):
        self.text, self.status, self.headers, self.body = text, status, headers or {}, body


class HTTPException(Response, Exception):
    status_code = 500

    def __init__(self, **options):
        Exception.__init__(self)
        Response.__init__(self, status=self.status_code, **options)


class HTTPUnauthorized(HTTPException):
    status_code = 401


class HTTPForbidden(HTTPException):
    status_code = 403


class HTTPNotFound(HTTPException):
    status_code = 404


class RouteTableDef(list):
    def route(self, method, path):
        def register(handler):
            self.append((method, path, handler))
            return handler

        return register

    def get(self, path):
        return self.route("GET", path)

    def post(self, path):
        return self.route("POST", path)

    def put(self, path):
        return self.route("PUT", path)


class View:
    """A class-based handler: an object for each request."""

    def __init__(self, request):
        self.request = request

    def __await__(self):
        return getattr(self, self.request.method.lower())().__await__()


class AppKey(str):
    def __new__(cls, name, kind=None):
        return super().__new__(cls, name)


class Application(dict):
    def __init__(self, middlewares=()):
        super().__init__()
        self._middlewares = middlewares
        self._routes = []
        self.router = self

    def add_routes(self, routes):
        for method, path, handler in routes:
            self.add_route(method, path, handler)

    def add_route(self, method, path, handler):
        self._routes.append((method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), handler))

    async def handle(self, method, path, headers=None, body=""):
        """One request, as the test client makes it."""
        for wanted, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and wanted in (method, "*"):
                request = Request(self, method, path, headers or {}, body, match.groupdict())
                try:
                    return await self._wrapped(handler)(request)
                except HTTPException as error:
                    return error
        return Response(status=404)

    def _wrapped(self, handler):
        for middleware in reversed(self._middlewares):
            handler = _bind(middleware, handler)
        return handler


def _bind(middleware, handler):
    async def bound(request):
        return await middleware(request, handler)

    return bound


def middleware(function):
    return function


def json_response(data, status=200):
    return Response(text=json.dumps(data), status=status)


web = SimpleNamespace(
    AppKey=AppKey,
    Application=Application,
    HTTPForbidden=HTTPForbidden,
    HTTPNotFound=HTTPNotFound,
    HTTPUnauthorized=HTTPUnauthorized,
    Request=Request,
    Response=Response,
    RouteTableDef=RouteTableDef,
    View=View,
    json_response=json_response,
    middleware=middleware,
)
