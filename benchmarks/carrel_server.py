"""carrel as a user starts it: `carrel serve` in a process of its own, over a data directory with users in it."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from benchmarks.process import ServerProcess, free_port
from carrel.server.tokens import TokenSigner, hash_refresh_token
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database

__all__ = ["DATABASE", "CarrelServer", "User"]

ROOT = Path(__file__).parent.parent
DATABASE = "carrel.db"
AGENTS = "benchmarks.servers.carrel_agents"


class User(NamedTuple):
    """Somebody who may connect."""

    user_id: str
    token: str


class CarrelServer:
    """A data directory, the users in it and the server over it."""

    def __init__(self, directory: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self._directory = directory
        self._secret = secrets.token_hex(32)
        self._settings = settings or {}
        self.port = free_port()

    async def make_users(self, count: int) -> Sequence[User]:
        """Accounts with an open session each, and their access tokens.

        Written to the database directly: `carrel user add` takes a second each, which 5,000 users would wait for.
        """
        signer = TokenSigner(SecretStr(self._secret), seconds=86_400)
        database = await Database.open(self._directory / DATABASE)
        try:
            accounts = AccountStore(database)
            return [await self._make_user(accounts, signer, number) for number in range(count)]
        finally:
            await database.close()

    async def _make_user(self, accounts: AccountStore, signer: TokenSigner, number: int) -> User:
        account = await accounts.create(f"user-{number}", "no password is ever checked", frozenset())
        session = await accounts.open_session(
            account.user_id, hash_refresh_token(secrets.token_hex(32)), time.time() + 86_400
        )
        return User(account.user_id, signer.sign(account.user_id, session))

    def start(self, module: str = "carrel") -> ServerProcess:
        """Start `carrel serve`, or `module` with the same arguments."""
        return ServerProcess(
            (sys.executable, "-m", module, "serve"),
            port=self.port,
            directory=self._directory,
            environment={
                "PYTHONPATH": str(ROOT),
                "CARREL_PORT": str(self.port),
                "CARREL_DATA_DIR": str(self._directory),
                "CARREL_SECRET": self._secret,
                "CARREL_DEMO_USER": "false",
                "CARREL_LOG_LEVEL": "warning",
                "CARREL_ACCESS_TOKEN_SECONDS": "86400",
                # A few users stand for many: their limits count, and are out of reach.
                "CARREL_RUNS_PER_MINUTE": "1000000",
                "CARREL_EVENTS_PER_SECOND": "1000000",
                "CARREL_STORED_BYTES": str(2**40),
                "CARREL_AGENTS": f"{AGENTS}:AGENTS",
                "CARREL_TOOLS": f"{AGENTS}:TOOLS",
                **self._settings,
            },
        )
