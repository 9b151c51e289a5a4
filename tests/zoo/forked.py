"""A parent process that forks two workers of a sample, and lets the second finish while the first waits for its reply.

It is a program of its own, so that the tests' threads are never forked: `python -m tests.zoo.forked ROOT ENTRY`.
"""

from __future__ import annotations

import importlib
import sys

from tests.zoo.samples import SUPPORT

__all__ = ["main"]


def main(root: str, entry: str) -> None:
    """Prints a line for each worker: the user's name, a tab, and what the worker got for that user."""
    sys.path[:0] = [root, str(SUPPORT)]
    outside = importlib.import_module("outside")
    sample = importlib.import_module(entry)
    gate = outside.hold_process()
    first = sample.start("alice")
    gate.arrived.wait()
    outside.let_go()
    sample.join(sample.start("bob"))
    gate.released.set()
    sample.join(first)


if __name__ == "__main__":
    main(*sys.argv[1:])
