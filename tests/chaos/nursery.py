"""Forks servers off a process that has imported everything: a start then takes a moment, however busy the machine.

For every line of input a server with the arguments of this module is started; `started PID` and, when it is gone,
`ended CODE` are written.
"""

from __future__ import annotations

import importlib
import os
import sys

IMPORTED = ("carrel.server.process", "carrel.server.app", "uvloop", "uvicorn.protocols.http.httptools_impl", "alembic")


def serve(arguments: list[str]) -> int:
    """`carrel serve` in this process; its exit code."""
    from carrel.cli import main

    sys.argv = ["carrel", "serve", *arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def start(arguments: list[str]) -> int:
    """The process id of a new server."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 0)
            os.dup2(nothing, 1)
            os.close(nothing)
            code = serve(arguments)
        finally:
            os._exit(code)
    return pid


def warm_up() -> None:
    """Make an application once and throw it away: what it imports late is there then."""
    from carrel.server.app import create_app
    from carrel.server.settings_sources import load_settings

    create_app(load_settings())


def main(arguments: list[str]) -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    warm_up()
    while os.read(0, 1):
        pid = start(arguments)
        os.write(1, f"started {pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(1, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1:])
