"""The composition root: every part of the server is made here, once, in order, and let go of in the reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

import anyio.to_thread
import structlog

from carrel.delivery.bridge import LocalBridge
from carrel.delivery.manager import WebSocketManager
from carrel.errors import StorageError
from carrel.optimizer.imports.importer import UsageImports
from carrel.runtime.engine_factory import ExecutionEngineFactory
from carrel.runtime.meters import UserMeters
from carrel.runtime.scheduler import RunScheduler
from carrel.server.authenticator import Authenticator
from carrel.server.first_start import DemoLogin, demo_login, signing_secret
from carrel.server.limits import LimitWatch
from carrel.server.loading import load_agents, load_tools
from carrel.server.oidc import OpenIdProvider
from carrel.server.passwords import Passwords
from carrel.server.services import Services
from carrel.server.session_watch import SessionWatch
from carrel.server.sessions import Sessions
from carrel.server.settings import Settings
from carrel.server.throttle import LoginThrottle
from carrel.server.tokens import TokenSigner
from carrel.server.watching import keep_looking
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.limits import LimitStore
from carrel.storage.runs import SqliteRunStore
from carrel.storage.threads import SqliteThreadStore
from carrel.storage.usage import UsageStore
from carrel.storage.values import SqliteUserStore

__all__ = ["open_services"]

RETENTION_SECONDS: Final = 3600.0
LAST_IMPORTS_SECONDS: Final = 2.0


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[tuple[Services, DemoLogin | None]]:
    """Everything that a server needs, and the demo user if this start made it.

    Raises `SettingsError` or `StorageError` saying what to do; whatever was opened before is closed then.
    """
    secret = await signing_secret(settings)
    # In a thread: importing reads files, and the event loop is already there.
    registry = await anyio.to_thread.run_sync(load_agents, settings)
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database_file)
        stack.push_async_callback(database.close)
        accounts, passwords = AccountStore(database), Passwords()
        demo = await demo_login(settings, accounts, passwords)
        log = await SqliteEventLog.open(database)
        stack.push_async_callback(log.close)
        meters, bridge = UserMeters(settings.limits), LocalBridge()
        usage = UsageStore(database, meters=meters)
        imports = UsageImports(store=usage, log=log, bridge=bridge)
        await _recover(log, imports)
        stack.push_async_callback(imports.close, LAST_IMPORTS_SECONDS)
        signer = TokenSigner(secret, seconds=settings.access_token_seconds)
        threads, runs = SqliteThreadStore(database, meters=meters), SqliteRunStore(database, meters=meters)
        store = SqliteUserStore(database, meters=meters)
        tools = await anyio.to_thread.run_sync(load_tools, settings, usage)
        engines = ExecutionEngineFactory(
            registry=registry,
            tools=tools,
            log=log,
            bridge=bridge,
            store=store,
            threads=threads,
            limits=meters,
            production=settings.production,
        )
        scheduler = RunScheduler(engines=engines, runs=runs)
        # Nothing is left of a drained scheduler; a server that ends in another way ends its runs here.
        stack.push_async_callback(scheduler.drain, 0.0)
        connections = WebSocketManager(bridge, per_user=meters.check_connection)
        limits = LimitStore(database)
        watch = LimitWatch(limits, meters, scheduler)
        await watch.look()
        sessions = SessionWatch(accounts, connections)
        for look, what in ((watch.look, "limits"), (sessions.look, "sessions")):
            watching = asyncio.create_task(keep_looking(look, what), name=f"carrel {what}")
            stack.push_async_callback(_cancelled, watching)
        retention = asyncio.create_task(_retain(settings, log), name="carrel retention")
        stack.push_async_callback(_cancelled, retention)
        yield (
            Services(
                settings=settings,
                database=database,
                accounts=accounts,
                sessions=Sessions(
                    accounts=accounts,
                    passwords=passwords,
                    signer=signer,
                    throttle=LoginThrottle(),
                    refresh_seconds=settings.refresh_token_seconds,
                ),
                authenticator=Authenticator(
                    accounts=accounts,
                    signer=signer,
                    provider=_provider(settings),
                    default_permissions=settings.default_permissions,
                ),
                log=log,
                bridge=bridge,
                threads=threads,
                runs=runs,
                store=store,
                usage=usage,
                imports=imports,
                registry=registry,
                tools=tools,
                engines=engines,
                scheduler=scheduler,
                connections=connections,
                limits=limits,
                meters=meters,
            ),
            demo,
        )


async def _recover(log: SqliteEventLog, imports: UsageImports) -> None:
    """Close what the last process left open, before anybody can look."""
    runs, uploads = await log.recover(), await imports.recover()
    if runs or uploads:
        structlog.get_logger(__name__).warning("closed what the last process left open", runs=runs, imports=uploads)


async def _retain(settings: Settings, log: SqliteEventLog) -> None:
    while True:
        try:
            dropped = await log.retain(settings.keep_events, settings.keep_days * 86_400)
            structlog.get_logger(__name__).debug("dropped old events", events=dropped)
        except StorageError as error:
            structlog.get_logger(__name__).warning("old events could not be dropped", problem=str(error))
        await asyncio.sleep(RETENTION_SECONDS)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _provider(settings: Settings) -> OpenIdProvider | None:
    if settings.oidc_issuer is None or settings.oidc_audience is None or settings.oidc_jwks_url is None:
        return None
    return OpenIdProvider(issuer=settings.oidc_issuer, audience=settings.oidc_audience, jwks_url=settings.oidc_jwks_url)
