"""Whether a file was written by a tool."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_generated"]

_HEAD: Final = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*")
_SAYS: Final = re.compile(
    rb"(?i)auto-?\s?generated|\b(?:is|was) generated\b|\bgenerated (?:by|from)\b"
    rb"|\bdo not (?:directly )?(?:edit|modify)\b"
)


def is_generated(data: bytes) -> bool:
    """Whether the comments above a file's first statement say that what makes it is to be changed, not the file."""
    head = _HEAD.match(data)
    return head is not None and _SAYS.search(head.group()) is not None
