"""What a delivery session asks of the shell around it."""

from __future__ import annotations

from typing import NamedTuple

from carrel.delivery.frames import CancelRunFrame, ResolveApprovalFrame, Resume, ServerFrame, StartRunFrame

__all__ = ["Acknowledge", "Action", "Close", "Command", "ReadLog", "ReadState", "Request", "Verify"]


class Verify(NamedTuple):
    """Verify the token, read the log's state, and call `authenticated` or `refused`."""

    token: str
    resume: Resume | None


class Acknowledge(NamedTuple):
    """Move the delivered watermark up to `offset`."""

    offset: int


Command = StartRunFrame | CancelRunFrame | ResolveApprovalFrame
"""Carry it out and `send` an `AcceptedFrame` or an `ErrorFrame`."""

Request = Verify | Acknowledge | Command
"""What a client's frame asks of the shell."""


class ReadLog(NamedTuple):
    """Read up to `limit` events after `after` and call `loaded`, or `unreadable`."""

    after: int
    limit: int


class ReadState(NamedTuple):
    """Read the log's state and call `observed`."""


class Close(NamedTuple):
    """Close the connection; nothing follows."""

    code: int
    reason: str


Action = ServerFrame | ReadLog | ReadState | Close
"""What the shell's writer does next; a frame is to be sent and `sent` called when it is written."""
