"""Two worker processes ask at the same time, each for its own user."""

from __future__ import annotations

import os
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.zoo.stage import Stage

__all__ = ["prefork"]

CHECKOUT = Path(__file__).parents[3]


class Lookup(socketserver.StreamRequestHandler):
    """Answers each line with what is stored under it."""

    server: Store

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(self.server.stored.get(line.strip(), b"") + b"\n")


class Store(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    stored: dict[bytes, bytes]


@contextmanager
def store(**stored: str) -> Iterator[str]:
    """A table of values by key, and the socket that it listens on."""
    with tempfile.TemporaryDirectory() as directory:
        address = str(Path(directory) / "database.sock")
        with Store(address, Lookup) as server:
            server.stored = {key.encode(): value.encode() for key, value in stored.items()}
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield address
            finally:
                server.shutdown()
                thread.join()


def prefork(stage: Stage) -> tuple[str, str]:
    with store(alice=stage.alice.canary, bob=stage.bob.canary) as address:
        printed = subprocess.run(
            [sys.executable, "-m", "tests.zoo.forked", str(stage.sample.root), stage.sample.entry],
            cwd=CHECKOUT,
            env={**os.environ, "DATABASE_URL": address},
            capture_output=True,
            text=True,
            check=True,
            timeout=15,
        ).stdout
    got = dict(line.split("\t") for line in printed.splitlines())
    return got["alice"], got["bob"]
