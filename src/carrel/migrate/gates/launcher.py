"""Runs one shell command and measures it: a script of its own, so that carrel's memory is not counted as the command's.

What a process is said to have used at its peak begins with the size of the process that started it. This one is small.
It also ends the command when its own standard input ends, which it does when carrel ends, however that happens.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time

__all__ = ["main"]


def main(result: str, command: str) -> None:
    """Run `command`, then write exit code, wall time and peak memory of its largest process to the file `result`."""
    began = time.monotonic()
    child = os.posix_spawn(
        "/bin/sh",
        ("sh", "-c", command),
        os.environ,
        setsid=True,
        file_actions=((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),),
    )
    threading.Thread(target=_end_with_carrel, args=(child,), daemon=True).start()
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - began
    _kill(child)  # what the command has left in the background
    unit = 1 if sys.platform == "darwin" else 1024
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib alone would cost four megabytes
        json.dump(
            {
                "exit_code": os.waitstatus_to_exitcode(status),
                "seconds": seconds,
                "peak_bytes": usage.ru_maxrss * unit,
            },
            file,
        )


def _end_with_carrel(group: int) -> None:
    os.read(0, 1)
    _kill(group)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
