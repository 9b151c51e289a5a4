"""The command line: `carrel serve`, `carrel user`, `carrel doctor`."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """What the command `carrel` runs. Exits 0 when all is well, 1 for problems found, 2 when it could not run."""
    from carrel.cli.application import run

    run()
