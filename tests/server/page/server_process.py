"""`carrel serve` as a process that a test can stop, kill and start again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from carrel.server.passwords import Passwords
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database

PASSWORD = "correct horse battery staple"
ACCOUNTS = 99
# It takes three seconds on an idle machine; several of these may start at once on a busy one.
START_SECONDS = 60
ROOT = Path(__file__).parents[3]


class ServerProcess:
    """The command itself, on a port of its own; `gates` is where scripted agents look for what they wait for."""

    def __init__(self, directory: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self.data = directory / "data"
        self.gates = directory / "gates"
        self.gates.mkdir()
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._options = options
        self._environment = environment or {}
        self._log = directory / "server.log"
        self._names: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        command = [sys.executable, "-m", "carrel", "serve", "--port", str(self.port), "--data-dir", str(self.data)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options],
                cwd=ROOT,
                env={
                    **os.environ,
                    "CARREL_DEMO_USER": "false",
                    "PAGE_TEST_GATES": str(self.gates),
                    **self._environment,
                },
                stdout=log,
                stderr=log,
            )
        self._wait()

    def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    async def account(self) -> str:
        """The name of a user whom no other test has; the password is `PASSWORD`."""
        if not self._names:
            await self._add_accounts()
        return self._names.pop()

    async def _add_accounts(self) -> None:
        names = [f"visitor{number}" for number in range(ACCOUNTS)]
        database = await Database.open(self.data / "carrel.db")
        try:
            password_hash, accounts = await Passwords().hash(PASSWORD), AccountStore(database)
            for name in names:
                await accounts.create(name, password_hash, {"usage:read", "usage:write"})
        finally:
            await database.close()
        self._names = names

    async def disable(self, name: str) -> None:
        """What `carrel user disable` does, while the server runs."""
        database = await Database.open(self.data / "carrel.db")
        try:
            accounts = AccountStore(database)
            account = await accounts.by_name(name)
            assert account is not None
            await accounts.set_disabled(account.user_id, True)
        finally:
            await database.close()

    def forget_events(self) -> None:
        """Recreate every user's log, as after restoring an old backup; only while the server is down."""
        with contextlib.closing(sqlite3.connect(self.data / "carrel.db")) as database, database:
            database.execute("DELETE FROM event_log")
            database.execute("DELETE FROM log_state")

    def open_gate(self, name: str) -> None:
        """Let the scripted agents go on that wait for `name`."""
        (self.gates / name).touch()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}healthz", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the server did not start:\n{self._log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
