"""What a running server looks up in the database again and again, because other processes change it there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import structlog

from carrel.errors import StorageError

__all__ = ["LOOK_SECONDS", "keep_looking"]

LOOK_SECONDS: Final = 1.0
"""How long a change that another process makes may take to reach a running server."""

_log = structlog.get_logger(__name__)


async def keep_looking(look: Callable[[], Awaitable[None]], what: str) -> NoReturn:
    """Await `look` every second until cancelled; while the database cannot be read, what is known goes on."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await look()
        except StorageError as error:
            _log.warning("could not look for changes; what is known goes on", what=what, problem=str(error))
