"""Names that pickles hold, read from their opcodes: nothing is ever unpickled."""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator
from typing import Final

from carrel.migrate.site import Site

__all__ = ["is_pickle", "pickle_sites"]

_SUFFIXES: Final = (".pkl", ".pickle", ".pck", ".p", ".dill", ".joblib")
_NEWEST: Final = 5
_DOUBT: Final = "it is pickled by this name: keep the shim for as long as such pickles are read, or write them anew"


def is_pickle(path: str, data: bytes) -> bool:
    """Whether a file may be a pickle: by its first two bytes, or by its name for protocols without such bytes."""
    return (data[:1] == b"\x80" and len(data) > 1 and data[1] <= _NEWEST) or path.lower().endswith(_SUFFIXES)


def pickle_sites(data: bytes, names: frozenset[str]) -> Iterator[Site]:
    """The opcodes that load a class or function whose dotted name has one of `names` in it.

    A file may hold several pickles, and other things behind them; reading ends at the first byte that is no opcode.
    The place is the opcode's, in one line: a pickle has no others.
    """
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        try:
            for dotted, start, end in _globals(stream):
                if not names.isdisjoint(dotted.split(".")):
                    yield Site(1, start, 1, end, start, end, "pickle", (dotted,), dotted, doubt=_DOUBT)
        except (ValueError, OverflowError):
            return


def _globals(stream: io.BytesIO) -> Iterator[tuple[str, int, int]]:
    """Each dotted name that one pickle loads, with the range of the opcode."""
    memo: dict[object, str] = {}
    # The two uppermost things on the stack, where they are strings.
    below, top = "", ""
    for opcode, argument, place in pickletools.genops(stream):
        start = place or 0
        match opcode.name:
            case "GLOBAL" | "INST":
                yield str(argument).replace(" ", "."), start, start + len(str(argument).encode()) + 2
                below, top = top, ""
            case "STACK_GLOBAL":
                yield f"{below}.{top}", start, start + 1
                below, top = "", ""
            case "MEMOIZE":
                memo[len(memo)] = top
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[argument] = top
            case "GET" | "BINGET" | "LONG_BINGET":
                below, top = top, memo.get(argument, "")
            case "FRAME" | "PROTO":
                pass
            case _:
                below, top = top, argument if isinstance(argument, str) else ""
