"""The server as a process: bound, announced, drained when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn
from uvicorn.supervisors import ChangeReload

from carrel.errors import CarrelError, SettingsError
from carrel.server.first_start import Started
from carrel.server.heap import settled_heap
from carrel.server.logs import configure_logging
from carrel.server.settings import Settings
from carrel.server.settings_sources import load_settings
from carrel.server.socket_protocol import FrameProtocol

if TYPE_CHECKING:
    from fastapi import FastAPI

    from carrel.server.services import Services

__all__ = ["Announcement", "bind", "run_reloading", "run_server", "url_of"]

Announcement = Callable[[Started], None]
"""Called once, when the server answers."""

MAX_MESSAGE_BYTES: Final = 128 * 1024
"""Twice what the session accepts: most of what is too long reaches the session, which can say so."""
KEEP_ALIVE_SECONDS: Final = 30
# Of the time to shut down, what runs get to end; the rest is for the connections to hear of it and leave.
RUNS_SHARE: Final = 0.8
GOING_AWAY: Final = (4000, "going away")


def bind(settings: Settings) -> socket.socket:
    """The socket to listen on; raises `SettingsError` when the address or the port cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise SettingsError("CARREL_HOST", f"{settings.host} is no address of this machine") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _unbindable(settings, error) from None
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def _unbindable(settings: Settings, error: OSError) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError("CARREL_PORT", f"{settings.port} is in use on {settings.host}; choose another with --port")
    if error.errno == errno.EACCES:
        return SettingsError("CARREL_PORT", f"{settings.port} may not be used by this user; choose one above 1023")
    return SettingsError("CARREL_HOST", f"{settings.host} is no address of this machine")


def url_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds the server."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_server(settings: Settings, listener: socket.socket, announce: Announcement) -> None:
    """Serve on `listener` until SIGINT or SIGTERM, then drain within `shutdown_seconds`.

    Raises `SettingsError` or `StorageError` when the server cannot start; nothing is left running then.
    """
    # Here and not above: the second of importing it is spent when the port is known to be free.
    from carrel.server.app import create_app

    configure_logging(settings)
    app = create_app(settings)
    config = _config(settings, app)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(app, config, listener, announce))


def run_reloading(settings: Settings, listener: socket.socket, announce: Announcement) -> None:
    """Like `run_server`, in a process that is started again whenever a Python file below this directory changes.

    That process reads its settings anew. `announce` is called there: it must be a function of a module, or a partial
    of one.
    """
    configure_logging(settings)
    config = uvicorn.Config("carrel.server.app:create_app", reload=True, log_config=None)
    ChangeReload(config, target=partial(_run_anew, announce), sockets=[listener]).run()


def _run_anew(announce: Announcement, sockets: list[socket.socket]) -> None:
    try:
        run_server(load_settings(), sockets[0], announce)
    except CarrelError as error:
        # The next change of a file may mend it; a traceback would hide what is wrong.
        structlog.get_logger(__name__).error("the server cannot start", problem=str(error))


async def _serve(app: FastAPI, config: uvicorn.Config, listener: socket.socket, announce: Announcement) -> None:
    # Not uvicorn's lifespan: it prints a traceback where the caller is to get the exception.
    async with app.router.lifespan_context(app):
        services: Services = app.state.services
        users = bool(await services.accounts.list_accounts())
        started = Started(url_of(listener), app.state.demo_login, users)
        with settled_heap():
            await _Server(config, services, lambda: announce(started)).serve(sockets=[listener])


def _config(settings: Settings, app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws=FrameProtocol,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds * (1 - RUNS_SHARE))),
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, services: Services, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._services = services
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in self.servers:
            listening.close()
        draining = asyncio.create_task(_drain(self._services))
        # A second Ctrl-C ends the wait, as it does in uvicorn.
        while not draining.done() and not self.force_exit:
            await asyncio.wait([draining], timeout=0.1)
        draining.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await draining
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn raises the signal again at the end, which would kill the process before the database is closed.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def _drain(services: Services) -> None:
    """Let runs end while clients still watch, then send the clients away."""
    seconds = services.settings.shutdown_seconds
    structlog.get_logger(__name__).info("draining", seconds=seconds)
    await services.scheduler.drain(seconds * RUNS_SHARE)
    await services.connections.close_all(*GOING_AWAY, seconds * (1 - RUNS_SHARE))
