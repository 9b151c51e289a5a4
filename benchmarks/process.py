"""A server in a process of its own: started, awaited, watched through /proc, stopped."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

__all__ = ["ServerFailedError", "ServerProcess", "free_port", "raise_descriptor_limit"]


class ServerFailedError(Exception):
    """Raised when a server does not come up; the message ends with what it printed last."""


class ServerProcess:
    """A server listening on `port`. Use it as a context manager; leaving it stops the server."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        seconds: float = 60.0,
    ) -> None:
        self.port = port
        self._output = directory / f"server-{port}.log"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(seconds)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far, those that ended included."""
        # The clock of another process, as clock_getcpuclockid(3) makes it; /proc counts in hundredths of a second.
        return time.clock_gettime(~self.pid << 3 | 2)

    def resident_bytes(self) -> int:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()

    def tail(self) -> str:
        """The end of what it printed."""
        return self._output.read_text(encoding="utf-8", errors="replace")[-2000:]

    def sleep(self) -> None:
        """Stop it from using the processor until it is `awake`, so that others are measured alone."""
        self._process.send_signal(signal.SIGSTOP)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let it work inside the block, and sleep after it."""
        self._process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.sleep()

    def stop(self) -> None:
        """Ask it to end, and end it when it does not within five seconds."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise ServerFailedError(f"the server ended with status {self._process.returncode}:\n{self.tail()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise ServerFailedError(f"the server did not listen within {seconds:.0f} s:\n{self.tail()}")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def raise_descriptor_limit() -> int:
    """Allow this process, and the servers it starts, as many open files as the system lets it; returns the number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
