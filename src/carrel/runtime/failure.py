"""What people are told about an exception: nothing of its text unless carrel wrote it."""

from __future__ import annotations

import traceback
from contextlib import suppress
from typing import Final, NamedTuple

from carrel.errors import AgentFailedError, CarrelError, ConflictError, RunError, SettingsError, StorageError

__all__ = ["ErrorNotice", "agent_failure", "notice_text", "traceback_text"]


LONGEST_TRACE: Final = 100


class ErrorNotice(NamedTuple):
    """An error as events carry it."""

    code: str
    """Stable for clients."""
    message: str
    """For people."""

    def as_data(self) -> dict[str, str]:
        """The `error` object of the protocol."""
        return {"code": self.code, "message": self.message}


def notice_text(error: BaseException) -> str:
    """What a user may read about `error`.

    carrel's own messages are written for people. Any other text may hold a key, a path or another user's data, so
    only the class is named; so are storage and settings errors, which are about the operator's machine.
    """
    if isinstance(error, CarrelError) and not isinstance(error, (StorageError, SettingsError)):
        with suppress(Exception):  # a class of the agent's own may have no text
            return str(error)
    return f"{type(error).__name__}; the server's log says more under this request's id"


def agent_failure(agent: str, error: BaseException) -> ErrorNotice:
    """Why an agent failed that let `error` out."""
    error = _first_of(error)
    if isinstance(error, AgentFailedError):
        return ErrorNotice(error.code, str(error))
    if isinstance(error, (RunError, ConflictError)):
        return ErrorNotice(error.code, notice_text(error))
    return ErrorNotice(AgentFailedError.code, str(AgentFailedError(agent, notice_text(error))))


def traceback_text(error: BaseException) -> str:
    """Where `error` came from and what it says, for the operator's log.

    Unlike `traceback.format_exception` it reads no source file, which would block the event loop.
    """
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None and len(lines) < LONGEST_TRACE:
        lines.append(f"{type(current).__qualname__}: {_text_of(current)}")
        frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(current.__traceback__)]
        lines.extend(f"  {code.co_filename}:{line} in {code.co_qualname}" for code, line in reversed(frames))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n".join(lines[:LONGEST_TRACE])


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an agent's exception may fail at anything, and must not end its run twice
        return "(its text cannot be read)"


def _first_of(error: BaseException) -> BaseException:
    """The first of carrel's errors in an exception group (as task groups raise them), else the group's first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_first_of(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, CarrelError)), leaves[0])
