"""A unified diff of bytes, as `git apply` and `patch` take it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from typing import Final

__all__ = ["unified_diff"]

_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_NO_END: Final = b"\n\\ No newline at end of file\n"


def unified_diff(path: str, before: bytes, after: bytes) -> bytes:
    """The difference of two contents of a file, in any encoding; empty when there is none."""
    name = os.fsencode(path)
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        _LINE.findall(before),
        _LINE.findall(after),
        b"a/" + name,
        b"b/" + name,
        lineterm=b"\n",
    )
    return b"".join(_ended(lines))


def _ended(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield line if line.endswith(b"\n") else line + _NO_END
