"""The whole server without a socket, for tests of its routes: real storage, real runs, users with tokens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import anyio.to_thread
import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from carrel.runtime.agent import AgentRun
from carrel.runtime.tools import tool
from carrel.server.app import create_app
from carrel.server.services import Services
from carrel.server.settings import Settings
from carrel.server.tokens import TokenSigner, hash_refresh_token, new_refresh_token

__all__ = ["AGENTS", "TOOLS", "Caller", "Served", "served", "settings_for"]

SECRET = SecretStr("0123456789abcdef0123456789abcdef")
HERE = "tests.server.served"


@tool
async def shout(text: str) -> str:
    """Say it louder."""
    return text.upper()


@tool(permission="secret:read")
async def reveal() -> str:
    """Only for a few."""
    return "revealed"


async def echo(run: AgentRun) -> str:
    """Repeats what was said, louder."""
    await run.think("I will shout.")
    return str(await run.call_tool("shout", text=run.input))


async def stall(run: AgentRun) -> str:
    """Never answers."""
    await run.think("I wait.")
    await anyio.sleep_forever()
    return ""


AGENTS = (echo, stall)
TOOLS = (shout, reveal)


def settings_for(directory: Path, **changes: Any) -> Settings:
    """Settings of a server for tests, over a directory of its own."""
    values = {
        "data_dir": directory,
        "secret": SECRET,
        "demo_user": False,
        "agents": f"{HERE}:AGENTS",
        "tools": f"{HERE}:TOOLS",
        "shutdown_seconds": 0.5,
    }
    return Settings.model_validate({**values, **changes})


@dataclass
class Caller:
    """A user with a session, and a client that sends their token."""

    user_id: str
    session_id: str
    access_token: str
    refresh_token: str
    http: httpx.AsyncClient

    async def start(self, text: str = "hello", agent: str = "echo", **more: Any) -> dict[str, str]:
        """Start a run in a new thread."""
        thread = (await self.http.post("/api/v1/threads")).json()["thread_id"]
        answer = await self.http.post(f"/api/v1/threads/{thread}/runs", json={"input": text, "agent": agent, **more})
        assert answer.status_code == 202, answer.text
        started: dict[str, str] = answer.json()
        return started

    async def belongings(self) -> dict[str, str]:
        """Ids of everything that a user can have; a route with an id of another kind needs it here."""
        run = await self.start()
        await self.finished(run["run_id"])
        stalled = await self.start("wait", "stall")
        form = {"file": ("usage.csv", b"time,model,input_tokens,output_tokens\n2026-10-01T00:00:00Z,gpt-4o,1,1\n")}
        imported = await self.http.post("/api/v1/usage/imports", files=form)
        assert imported.status_code == 202, imported.text
        return {
            "thread_id": run["thread_id"],
            "run_id": stalled["run_id"],
            "tool_call_id": "call",
            "import_id": imported.json()["import_id"],
        }

    async def finished(self, run_id: str) -> dict[str, Any]:
        """The run, once it is over."""
        while True:
            record: dict[str, Any] = (await self.http.get(f"/api/v1/runs/{run_id}")).json()
            if record["state"] not in ("queued", "running"):
                return record
            await anyio.sleep(0.01)


@dataclass
class Served:
    """A running server."""

    app: FastAPI
    http: httpx.AsyncClient
    """A client without a token."""
    stack: AsyncExitStack
    callers: list[Caller] = field(default_factory=list)

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    async def user(self, name: str, *permissions: str) -> Caller:
        """A new user with a session; no password is hashed for them."""
        services = self.services
        account = await services.accounts.create(name, "no password", permissions)
        secret = new_refresh_token()
        session_id = await services.accounts.open_session(
            account.user_id, hash_refresh_token(secret), time.time() + 3600
        )
        access = TokenSigner(SECRET, seconds=900).sign(account.user_id, session_id)
        http = await self.stack.enter_async_context(client(self.app, Authorization=f"Bearer {access}"))
        caller = Caller(account.user_id, session_id, access, f"{session_id}.{secret}", http)
        self.callers.append(caller)
        return caller

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()


def client(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    """A client that talks to the application directly."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost", headers=headers)


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[Served]:
    """The server over `settings`, from start to shutdown."""
    app = await anyio.to_thread.run_sync(create_app, settings)
    async with app.router.lifespan_context(app), client(app) as http, Served(app, http, AsyncExitStack()) as server:
        yield server
