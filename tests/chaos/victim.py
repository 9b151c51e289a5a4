"""The server under test: `carrel serve` as a process that is killed, started again and looked at from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from pydantic import SecretStr

from carrel.server.tokens import TokenSigner, hash_refresh_token, new_refresh_token
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database

__all__ = ["FAKETIME", "Resources", "Victim", "add_accounts"]

ROOT = Path(__file__).parents[2]
SECRET = "0123456789abcdef0123456789abcdef"
TOKEN_SECONDS = 86_400
"""More than any clock is moved: a client without a password cannot get a fresh one."""
FAKETIME = next(
    (str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")),
    None,
)
"""Debian's package `faketime`, None where it is not installed."""


class Resources(NamedTuple):
    """What a process holds, seen in /proc."""

    resident_mib: float
    descriptors: int
    threads: int


async def add_accounts(data: Path, names: list[str]) -> list[str]:
    """Make users, each with a session, without hashing a password for any of them; an access token for each."""
    database = await Database.open(data / "carrel.db")
    accounts, signer = AccountStore(database), TokenSigner(SecretStr(SECRET), seconds=TOKEN_SECONDS)
    tokens = []
    for name in names:
        account = await accounts.create(name, "no password", ())
        secret = hash_refresh_token(new_refresh_token())
        session = await accounts.open_session(account.user_id, secret, time.time() + 30 * TOKEN_SECONDS)
        tokens.append(signer.sign(account.user_id, session))
    await database.close()
    return tokens


class Victim:
    """One server after the other over the same data, always on the same port."""

    def __init__(self, directory: Path, data: Path, *, clock: bool = False) -> None:
        self.directory = directory
        self.data = data
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.starts = 0
        self.refused_starts = 0
        self.clock = directory / "clock" if clock else None
        """Where its time is read from, as seconds to add; None for a server with the machine's own."""
        if self.clock is not None:
            assert FAKETIME, "install Debian's package faketime"
            self.clock.write_text("+0\n")
        self._said: SimpleQueue[str] = SimpleQueue()
        self._pid: int | None = None
        self._code: int | None = None
        with (directory / "stderr").open("ab") as errors:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery", "--port", str(self.port), "--data-dir", str(data)],
                cwd=directory,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
            )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def database(self) -> Path:
        return self.data / "carrel.db"

    @property
    def pid(self) -> int:
        assert self._pid is not None
        return self._pid

    @property
    def alive(self) -> bool:
        self._hear()
        return self._pid is not None

    @property
    def log(self) -> str:
        """All that the servers have written to standard error."""
        return (self.directory / "stderr").read_text(errors="replace")

    def start(self) -> None:
        """Start it; `ready` waits until it answers."""
        assert not self.alive
        assert self._nursery.stdin is not None
        self.starts += 1
        self._nursery.stdin.write(b"s")
        self._hear(wait=60)

    def close(self) -> None:
        """End all of it."""
        self.kill()
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.close()
        self._nursery.wait()
        self._listener.join()
        self._nursery.stdout.close()

    def _listen(self) -> None:
        assert self._nursery.stdout is not None
        for line in iter(self._nursery.stdout.readline, b""):
            self._said.put(line.decode())

    def _hear(self, wait: float | None = None) -> None:
        """Take what the nursery has said; with `wait`, at least one line of it."""
        while wait is not None or not self._said.empty():
            word, number = self._said.get(timeout=wait).split()
            wait = None
            self._pid = int(number) if word == "started" else None
            self._code = int(number) if word == "ended" else None

    async def ready(self, seconds: float = 60.0) -> None:
        """Wait until it answers that it is ready; start it again when it gave up because of a fault."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.alive:
                self.refused_starts += 1
                self.start()
            if await self.is_ready():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"the server is not ready after {seconds} s:\n{self.log[-3000:]}")

    async def is_ready(self) -> bool:
        """What `/readyz` says, asked without a client library: it is asked often."""
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    return (await reader.readline()).split()[1:2] == [b"200"]
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    def kill(self) -> None:
        """kill -9."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            self._hear(wait=30)

    def stop(self) -> int | None:
        """Ask it to end; the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        self._hear(wait=30)
        return self._code

    def resources(self) -> Resources:
        """What it holds now."""
        proc = Path(f"/proc/{self.pid}")
        status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line)
        return Resources(
            round(int(status["VmRSS"].split()[0]) / 1024, 1), len(os.listdir(proc / "fd")), int(status["Threads"])
        )

    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CARREL_")}
        settings = {
            "agents": "tests.chaos.agents:AGENTS",
            "tools": "tests.chaos.agents:TOOLS",
            "secret": SECRET,
            "demo_user": "false",
        }
        faked = {}
        if self.clock is not None and FAKETIME is not None:
            faked = {
                "LD_PRELOAD": FAKETIME,
                "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_DONT_RESET": "1",
            }
        own = {f"CARREL_{name.upper()}": value for name, value in settings.items()}
        # Where no byte code may be written, every server would compile all that it imports.
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        cache = str(Path(tempfile.gettempdir()) / f"carrel-chaos-{os.getuid()}")
        return {**kept, **own, **faked, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": cache}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
