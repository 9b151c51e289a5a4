"""`carrel serve` as a process, for tests of what only a real one shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

__all__ = ["PASSWORD", "Process", "carrel", "clean_environment", "following", "serving", "wait_for_end"]

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
SECRET = "0123456789abcdef0123456789abcdef"


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of carrel, and with the tests' modules to be found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARREL_")}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **more}


def carrel(
    *arguments: str, directory: Path, input: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "carrel", *arguments],
        cwd=directory,
        env=clean_environment(**(environment or {})),
        input=input,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


class Process:
    """A running server."""

    def __init__(self, popen: subprocess.Popen[str], url: str, directory: Path, said: list[str]) -> None:
        self.popen = popen
        self.url = url
        self.directory = directory
        self.said = said

    @property
    def log(self) -> str:
        """What it has written to standard error."""
        return (self.directory / "stderr").read_text()

    async def log_in(self, name: str, password: str = PASSWORD) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as http:
            answer = await http.post("/api/v1/auth/token", data={"username": name, "password": password})
            assert answer.status_code == 200, answer.text
            tokens: dict[str, Any] = answer.json()
            return tokens

    def http(self, tokens: Mapping[str, Any]) -> httpx.AsyncClient:
        """A client that sends the access token."""
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30)

    def socket(self, **options: Any) -> connect:
        """A WebSocket; the caller authenticates."""
        return connect(
            self.url.replace("http", "ws") + "/ws",
            subprotocols=[Subprotocol("carrel.v1")],
            compression=None,
            **options,
        )


async def following(socket: ClientConnection, token: str, **more: Any) -> dict[str, Any]:
    """Authenticate; the `ready` frame."""
    await socket.send(json.dumps({"type": "authenticate", "token": token, **more}))
    ready: dict[str, Any] = json.loads(await socket.recv())
    assert ready["type"] == "ready", ready
    return ready


@contextmanager
def serving(directory: Path, *options: str, **settings: str) -> Iterator[Process]:
    """`carrel serve` on a free port, over `directory`/data, with the tests' agents; killed at the end."""
    environment = clean_environment(
        CARREL_AGENTS="tests.server.served:AGENTS",
        CARREL_TOOLS="tests.server.served:TOOLS",
        **{f"CARREL_{name.upper()}": value for name, value in settings.items()},
    )
    with (directory / "stderr").open("w") as errors:
        popen = subprocess.Popen(
            [sys.executable, "-m", "carrel", "serve", "--port", "0", "--data-dir", "data", *options],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert popen.stdout is not None
        said: list[str] = []
        while not said or "stops it" not in said[-1]:
            line = popen.stdout.readline()
            assert line, f"the server did not start: {(directory / 'stderr').read_text()}"
            said.append(line.rstrip())
        yield Process(popen, said[0].split()[-1], directory, said)
    finally:
        popen.kill()
        popen.wait()
        assert popen.stdout is not None
        popen.stdout.close()


def wait_for_end(popen: subprocess.Popen[str], seconds: float = 30) -> int:
    """The exit code, once it ends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        code = popen.poll()
        if code is not None:
            return code
        time.sleep(0.02)
    raise AssertionError("it does not end")
