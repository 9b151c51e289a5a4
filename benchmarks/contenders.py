"""Servers that run agents over HTTP: how each is started, who its users are, and how one run of one user is made."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode
from uuid import uuid4

import jwt
import msgspec

from benchmarks.carrel_server import CarrelServer, User
from benchmarks.clients.http import HttpConnection
from benchmarks.peers import peer_environment
from benchmarks.process import ServerProcess, free_port

__all__ = ["AgentOs", "Carrel", "Contender", "FastApiFloor", "LangGraphDev", "RunFailedError"]

ROOT = Path(__file__).parent.parent
SERVERS = Path(__file__).parent / "servers"
JSON = "application/json"


class RunFailedError(Exception):
    """Raised when an answer does not hold what a whole run must: then its speed means nothing."""


class Contender(Protocol):
    """One server, one process."""

    @property
    def name(self) -> str: ...

    def start(self, directory: Path, users: int) -> ServerProcess:
        """Start it with its data in `directory` and make the users."""
        ...

    async def run(self, connection: HttpConnection, user: int) -> int:
        """One run in a new conversation, streamed to its end; the number of events. Raises `RunFailedError`."""
        ...


class Carrel:
    """`carrel serve` with an own agent."""

    name = "carrel"

    def __init__(self) -> None:
        self._users: Sequence[User] = ()

    def start(self, directory: Path, users: int) -> ServerProcess:
        server = CarrelServer(directory)
        self._users = asyncio.run(server.make_users(users))
        return server.start()

    async def run(self, connection: HttpConnection, user: int) -> int:
        headers = {"Authorization": f"Bearer {self._users[user].token}", "Content-Type": JSON}
        thread = (await connection.request("POST", "/api/v1/threads", headers=headers, body=b"{}")).json()["thread_id"]
        body = b'{"input":"What is 40 and 2?","agent":"adder"}'
        types = [
            event.type
            async for event in connection.stream("POST", f"/api/v1/threads/{thread}/runs", headers=headers, body=body)
        ]
        return _checked(types, 5, "agent_completed")


class _SharedSecret:
    """Users of servers that verify tokens which somebody else issues."""

    def __init__(self) -> None:
        self._secret = secrets.token_hex(32)
        self._tokens: list[str] = []

    def _make_users(self, users: int) -> None:
        for number in range(users):
            claims = {
                "sub": f"user-{number}",
                "aud": "bench-os",
                "scopes": ["agents:read", "agents:run", "sessions:read"],
                "exp": int(time.time()) + 86_400,
            }
            self._tokens.append(jwt.encode(claims, self._secret, "HS256"))

    def _headers(self, user: int, content_type: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[user]}", "Content-Type": content_type}


class FastApiFloor(_SharedSecret):
    """FastAPI and SQLite and nothing else."""

    name = "FastAPI+SQLite floor"

    def start(self, directory: Path, users: int) -> ServerProcess:
        self._make_users(users)
        port = free_port()
        module = "benchmarks.servers.fastapi_floor"
        command = (sys.executable, "-m", module, str(port), str(directory / "floor.db"), self._secret)
        return ServerProcess(command, port=port, directory=directory, environment={"PYTHONPATH": str(ROOT)})

    async def run(self, connection: HttpConnection, user: int) -> int:
        body = b'{"input":"What is 40 and 2?"}'
        stream = connection.stream("POST", "/runs", headers=self._headers(user, JSON), body=body)
        return _checked([event.type async for event in stream], 5, "agent_completed")


class AgentOs(_SharedSecret):
    """AgentOS with authorization and isolation between users, a SQLite database and a model that answers at once."""

    name = "AgentOS"

    def start(self, directory: Path, users: int) -> ServerProcess:
        self._make_users(users)
        port = free_port()
        python = str(peer_environment("agno") / "bin" / "python")
        command = (python, str(SERVERS / "agno_server.py"), str(port), str(directory / "agno.db"), self._secret)
        return ServerProcess(command, port=port, directory=directory)

    async def run(self, connection: HttpConnection, user: int) -> int:
        headers = self._headers(user, "application/x-www-form-urlencoded")
        body = urlencode({"message": "What is 40 and 2?", "stream": "true"}).encode()
        stream = connection.stream("POST", "/agents/bench/runs", headers=headers, body=body)
        return _checked([event.type async for event in stream], 5, "RunCompleted")


class LangGraphDev(_SharedSecret):
    """`langgraph dev` with custom authentication, in memory, and a worker for every user."""

    name = "langgraph dev"

    def start(self, directory: Path, users: int) -> ServerProcess:
        self._make_users(users)
        home = directory / "langgraph"
        shutil.copytree(SERVERS / "langgraph", home, ignore=shutil.ignore_patterns("__pycache__"))
        port = free_port()
        command = (str(peer_environment("langgraph") / "bin" / "langgraph"), "dev", "--no-browser", "--no-reload")
        return ServerProcess(
            (*command, "--port", str(port), "--n-jobs-per-worker", str(users), "--server-log-level", "ERROR"),
            port=port,
            directory=home,
            environment={
                "BENCH_SECRET": self._secret,
                "LANGSMITH_TRACING": "false",
                "LANGGRAPH_CLI_NO_ANALYTICS": "1",
                "PYTHONWARNINGS": "ignore",
            },
        )

    async def run(self, connection: HttpConnection, user: int) -> int:
        body = self.body("bench", {"messages": [{"role": "user", "content": "What is 40 and 2?"}]}, "updates")
        path = f"/threads/{uuid4()}/runs/stream"
        stream = connection.stream("POST", path, headers=self._headers(user, JSON), body=body)
        return _checked([event.type async for event in stream], 4, "updates")

    def body(self, graph: str, input: dict[str, object], mode: str, *, resumable: bool = False) -> bytes:
        """A request to run a graph in a conversation that need not exist."""
        return msgspec.json.encode(
            {
                "assistant_id": graph,
                "input": input,
                "stream_mode": [mode],
                "if_not_exists": "create",
                "stream_resumable": resumable,
            }
        )

    def headers(self, user: int) -> dict[str, str]:
        return self._headers(user, JSON)


def _checked(types: list[str], fewest: int, last: str) -> int:
    if len(types) < fewest or types[-1] != last:
        raise RunFailedError(f"expected {fewest} events or more, ending with {last}; got {types}")
    return len(types)
