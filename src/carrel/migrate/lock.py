"""One migration at a time in one repository."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from carrel.errors import MigrationError

__all__ = ["locked"]

_PATIENCE: Final = 3.0
"""Seconds for the git of a killed run to end."""
_PAUSE: Final = 0.05


@contextmanager
def locked(path: Path, *, patience: float = _PATIENCE) -> Iterator[int]:
    """Hold the lock file `path`; gives its descriptor, for processes that must hold it too.

    The kernel lets go of the lock when its last holder ends, however it ends: there is no stale lock to remove.
    Raises `MigrationError` with the process that has it when it is not free after `patience` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    held = [descriptor]
    # A forked worker that outlives a killed parent would hold the lock for ever.
    os.register_at_fork(after_in_child=lambda: _close(held))
    try:
        deadline = time.monotonic() + patience
        while not _taken(descriptor):
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 100, 0).decode(errors="replace").strip() or "unknown"
                raise MigrationError(
                    f"another migration runs in this repository (process {holder}); wait for it to end, or end it"
                )
            time.sleep(_PAUSE)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        _close(held)


def _close(held: list[int]) -> None:
    while held:
        os.close(held.pop())


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
