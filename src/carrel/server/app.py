"""The application: routes, middleware and error answers, with the services behind them while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from carrel.server.access import RequireIdentity, check_routes, owner_rule
from carrel.server.body_limit import BodyLimit
from carrel.server.composition import open_services
from carrel.server.correlation import Correlation
from carrel.server.description import describe
from carrel.server.headers import HostCheck, SecurityHeaders
from carrel.server.problems import install_problems
from carrel.server.routes import API_PREFIX
from carrel.server.routes.auth import auth_routes
from carrel.server.routes.catalog import catalog_routes
from carrel.server.routes.events import event_routes
from carrel.server.routes.health import health_routes
from carrel.server.routes.me import me_routes
from carrel.server.routes.metrics import metrics_routes
from carrel.server.routes.runs import run_routes
from carrel.server.routes.statistics import statistics_routes
from carrel.server.routes.threads import thread_routes
from carrel.server.settings import Settings
from carrel.server.usage import usage_routes
from carrel.server.websocket import websocket_route

__all__ = ["UPLOAD_PATH", "create_app"]

UPLOAD_PATH: Final = f"{API_PREFIX}/usage/imports"
PREFLIGHT_SECONDS: Final = 600
PAGE: Final = Path(__file__).parent / "page"
REVALIDATED: Final = MappingProxyType({"Cache-Control": "no-cache"})


def create_app(settings: Settings) -> FastAPI:
    """The server as an ASGI application; `app.state.services` exists while its lifespan runs. Blocks: reads files.

    `app.state.demo_login` is then the demo user, if this start made it. Raises `SettingsError` for a route without a
    sound owner rule; entering the lifespan raises `SettingsError` or `StorageError` when a part cannot be made.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings) as (services, demo_login):
            app.state.services = services
            app.state.demo_login = demo_login
            yield

    app = FastAPI(
        title="carrel",
        version=version("carrel"),
        lifespan=lifespan,
        openapi_url=None,
        # One span for a request: those of its parts tell of FastAPI.
        telemetry={"operation_spans": False},
        redirect_slashes=False,
    )
    install_problems(app)
    _add_routes(app)
    public = frozenset(one.path for one in check_routes(app) if one.rule == "public")
    _add_middleware(app, settings, public)
    return app


def _add_routes(app: FastAPI) -> None:
    for router in (
        auth_routes(),
        me_routes(),
        statistics_routes(),
        thread_routes(),
        run_routes(),
        event_routes(),
        usage_routes(),
        catalog_routes(),
        health_routes(),
        metrics_routes(),
    ):
        # In one table: a router that is included is matched as a router within a router for every request.
        app.router.routes.extend(router.routes)

    @owner_rule("caller")
    async def websocket(socket: WebSocket) -> None:
        await websocket_route(app.state.services)(socket)

    @owner_rule("public")
    async def openapi(_: Request) -> Response:
        return JSONResponse(describe(app))

    @owner_rule("public")
    async def page(_: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers=REVALIDATED)

    app.router.routes.extend(
        (
            WebSocketRoute("/ws", websocket),
            Route("/openapi.json", openapi),
            Route("/", page),
            Mount("/static", owner_rule("public")(_PageFiles(directory=PAGE))),
        )
    )


class _PageFiles(StaticFiles):
    """The chat page's files. Asked for again on every use, so that a new version is never mixed with an old one."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(REVALIDATED)
        return response


def _add_middleware(app: FastAPI, settings: Settings, public: frozenset[str]) -> None:
    def limit_of(path: str) -> int:
        return settings.max_upload_bytes if path == UPLOAD_PATH else settings.max_body_bytes

    # The last one added is the first to see a request.
    app.add_middleware(RequireIdentity, verifier=lambda: app.state.services.authenticator, public=lambda: public)
    app.add_middleware(BodyLimit, limit_of=limit_of)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"),
            max_age=PREFLIGHT_SECONDS,
        )
    app.add_middleware(HostCheck, allowed=settings.hosts)
    app.add_middleware(Correlation)
    app.add_middleware(SecurityHeaders)
