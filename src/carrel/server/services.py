"""The parts of a running server, made once at start-up and handed to every route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from carrel.delivery.bridge import WebSocketBridge
from carrel.delivery.manager import WebSocketManager
from carrel.optimizer.imports.importer import UsageImports
from carrel.runtime.engine_factory import ExecutionEngineFactory
from carrel.runtime.meters import UserMeters
from carrel.runtime.registry import AgentRegistry
from carrel.runtime.scheduler import RunScheduler
from carrel.runtime.store import RunStore, ThreadStore, UserStore
from carrel.runtime.tools import Tool
from carrel.server.authenticator import Authenticator
from carrel.server.sessions import Sessions
from carrel.server.settings import Settings
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.limits import LimitStore
from carrel.storage.usage import UsageStore

__all__ = ["CurrentServices", "Services", "services_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Every part that routes and sockets use; none of them belongs to a user."""

    settings: Settings
    database: Database
    accounts: AccountStore
    sessions: Sessions
    authenticator: Authenticator
    log: SqliteEventLog
    bridge: WebSocketBridge
    threads: ThreadStore
    runs: RunStore
    store: UserStore
    usage: UsageStore
    imports: UsageImports
    registry: AgentRegistry
    tools: Sequence[Tool]
    engines: ExecutionEngineFactory
    scheduler: RunScheduler
    connections: WebSocketManager
    limits: LimitStore
    meters: UserMeters


# A coroutine although it awaits nothing: FastAPI visits a thread for every dependency that is a plain function.
async def services_of(request: Request) -> Services:
    """The services of the server that got the request."""
    return cast("Services", request.app.state.services)


CurrentServices = Annotated[Services, Depends(services_of)]
"""What an endpoint takes to reach the parts of the server."""
