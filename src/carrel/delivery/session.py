"""What one connection is to be sent, what of it is acknowledged and where it resumes; no clock, no socket, no log."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from carrel.delivery.actions import Acknowledge, Action, Close, ReadLog, ReadState, Request, Verify
from carrel.delivery.frames import (
    MAX_FRAME_BYTES,
    AckFrame,
    AuthenticateFrame,
    ErrorFrame,
    EventsFrame,
    FrameError,
    HeartbeatFrame,
    PingFrame,
    PongFrame,
    ReadyFrame,
    Resume,
    ServerFrame,
    parse_frame,
)
from carrel.delivery.log import LoggedEvent, LogState
from carrel.errors import UnrecoverablePositionError
from carrel.events import encoded_epoch

__all__ = [
    "ACKNOWLEDGE_SECONDS",
    "AUTHENTICATE_SECONDS",
    "EVENTS_PER_FRAME",
    "EXPIRY_SECONDS",
    "HEARTBEAT_SECONDS",
    "MAX_UNACKNOWLEDGED",
    "MAX_WAITING_BYTES",
    "MAX_WAITING_EVENTS",
    "SEND_SECONDS",
    "DeliverySession",
    "SessionStatistics",
]

AUTHENTICATE_SECONDS: Final = 10.0
EXPIRY_SECONDS: Final = 25.0
HEARTBEAT_SECONDS: Final = 10.0
"""The protocol allows 15; what is left is for a busy server and a slow network."""
SEND_SECONDS: Final = 20.0
"""How long one frame may take to be written before the client counts as stalled."""
ACKNOWLEDGE_SECONDS: Final = 60.0
"""How long a client may keep the connection paused without acknowledging anything."""
EVENTS_PER_FRAME: Final = 64
FRAME_BYTES: Final = 256 * 1024
"""Where a frame of several events ends; below what clients accept by default (1 MiB)."""
MAX_UNACKNOWLEDGED: Final = 256
MAX_WAITING_EVENTS: Final = 512
MAX_WAITING_BYTES: Final = 1024 * 1024
MAX_CONTROL_FRAMES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatistics:
    """How far one connection has come."""

    top: int
    """The newest offset that it knows of."""
    sent: int
    """The newest offset that was handed to the writer."""
    acknowledged: int
    """The newest offset that the client has acknowledged; where it began, before it has."""
    waiting: int
    """Events read and not sent."""
    paused: bool
    """Whether sending waits for acknowledgements."""


class DeliverySession:
    """One connection, from its first frame to its close.

    The shell hands in what arrives (`receive`, `news`, `tick`, …) and its writer asks `next_action` until it is None.
    `now` is in seconds on one monotonic clock. No method raises for anything that a client sends.
    """

    __slots__ = (
        "_acked",
        "_acks",
        "_base",
        "_blocked_bytes",
        "_blocked_top",
        "_closed",
        "_control",
        "_deadline",
        "_epoch",
        "_heard",
        "_heartbeat_at",
        "_heartbeat_due",
        "_paused_since",
        "_position",
        "_sending_since",
        "_sent",
        "_top",
        "_user_id",
        "_waiting",
    )

    def __init__(self, now: float) -> None:
        self._user_id: str | None = None
        self._epoch = ""
        self._base = self._position = self._sent = self._acked = self._top = 0
        self._acks = False
        self._heard = False
        self._control: list[ServerFrame] = []
        self._waiting: deque[LoggedEvent] | None = None
        self._closed: Close | None = None
        self._deadline = now + AUTHENTICATE_SECONDS
        self._heartbeat_at = now
        self._heartbeat_due = False
        self._sending_since: float | None = None
        self._paused_since: float | None = None
        self._blocked_top: int | None = None
        self._blocked_bytes = 0

    @property
    def closed(self) -> Close | None:
        """How the connection ends, once that is decided."""
        return self._closed

    @property
    def sending(self) -> bool:
        """Whether a frame has been handed to the writer and is not written yet."""
        return self._sending_since is not None

    @property
    def epoch(self) -> str:
        """Identity of the log that is followed."""
        return self._epoch

    @property
    def paused(self) -> bool:
        """Whether sending waits for acknowledgements; never before the client's first."""
        return self._acks and self._sent - self._acked > MAX_UNACKNOWLEDGED

    def statistics(self) -> SessionStatistics:
        """How far the connection has come, now."""
        return SessionStatistics(
            top=self._top,
            sent=self._sent,
            acknowledged=self._acked,
            waiting=len(self._waiting) if self._waiting is not None else 0,
            paused=self.paused,
        )

    # What clients send

    def receive(self, text: str) -> Request | None:
        """Take one text frame; what it asks of the shell, if anything. A frame that is not accepted is answered."""
        if self._closed is not None:
            return None
        if len(text) > MAX_FRAME_BYTES or (not text.isascii() and len(text.encode()) > MAX_FRAME_BYTES):
            self.refuse_frame(f"a frame has at most {MAX_FRAME_BYTES} bytes; upload long input as a file")
            return None
        try:
            frame = parse_frame(text)
        except FrameError as error:
            self.send(ErrorFrame(error.code, f"{error.field} {error.problem}", error.frame_id))
            return None
        if isinstance(frame, AuthenticateFrame):
            return Verify(frame.token, frame.resume)
        if self._user_id is None:
            self.send(
                ErrorFrame("not_authenticated", "the first frame must be authenticate", getattr(frame, "id", None))
            )
            return None
        if isinstance(frame, AckFrame):
            return self._acknowledge(frame.offset)
        if isinstance(frame, PingFrame):
            self.send(PongFrame(frame.id))
            return None
        return frame

    def refuse_frame(self, problem: str) -> None:
        """The client sent what no frame can be: it is told, and the connection ends."""
        if self._closed is None:
            self.send(ErrorFrame("malformed_frame", problem))
            self._closed = self._closed or Close(4503, problem[:100])

    def _acknowledge(self, offset: int) -> Acknowledge | None:
        if offset > self._sent or offset < self._acked:
            problem = (
                f"offset must be {self._acked} to {self._sent}: not behind an earlier one, not beyond what was sent"
            )
            self.send(ErrorFrame("invalid_ack", problem))
            return None
        self._acks = True
        if offset == self._acked:
            return None
        self._acked = offset
        self._paused_since = None
        self._unblock()
        return Acknowledge(offset)

    # What becomes of `Verify`

    def authenticated(
        self, user_id: str, state: LogState, resume: Resume | None, *, expires_in: float, now: float
    ) -> None:
        """The token is valid for `expires_in` seconds and names `user_id`, whose log is in `state`.

        The first time, delivery begins: after `resume`; from `top` without one, or when it cannot be resumed there.
        Later it only renews the token: the position stays, and another user is refused.
        """
        if self._closed is not None:
            return
        if self._user_id is None:
            gap = resume is not None and state.reaches(resume.epoch, resume.offset) is not True
            self._user_id = user_id
            self._epoch = state.epoch
            self._top = max(self._top, state.top)
            self._base = state.top if resume is None or gap else resume.offset
            self._position = self._sent = self._acked = self._base
            self._heartbeat_at = now + HEARTBEAT_SECONDS
        elif user_id != self._user_id:
            self.close(4501, "the token is another user's; open a new connection")
            return
        else:
            self._observe(state)
            # What came after `base` has been sent on this connection or follows; what came before has not and will not.
            gap = resume is not None and not (
                resume.epoch == self._epoch and self._base <= resume.offset <= max(self._top, state.top)
            )
        self._deadline = now + max(0.0, expires_in) + EXPIRY_SECONDS
        self.send(ReadyFrame(user_id, state.epoch, state.top, state.oldest, gap))

    def refused(self) -> None:
        """The token is not valid. A connection that was authenticated goes on until its own token has expired."""
        if self._user_id is None:
            self.close(4501, "the token is not valid; get a fresh one")
        else:
            self.send(ErrorFrame("bad_token", "the token is not valid; send authenticate with a fresh one"))

    # What happens elsewhere

    def news(self, top: int) -> None:
        """The log reaches to `top`, at least. May be late, doubled or never called: `observed` makes up for it."""
        self._heard = True
        self._top = max(self._top, top)
        if self._blocked_top is not None and self._top - self._blocked_top > MAX_WAITING_EVENTS:
            self._overflow(f"more than {MAX_WAITING_EVENTS} events are waiting")

    def tick(self, now: float) -> bool:
        """Time has passed; call it about once a second. Whether the writer has something to do because of it."""
        if self._closed is not None:
            return True
        if now >= self._deadline:
            if self._user_id is None:
                self.close(4500, f"authenticate within {AUTHENTICATE_SECONDS:.0f} s")
            else:
                self.close(4502, "the token has expired; authenticate with a fresh one")
        elif self._sending_since is not None and now - self._sending_since >= SEND_SECONDS:
            self._overflow(f"nothing could be written for {SEND_SECONDS:.0f} s")
        elif self._paused_since is not None and now - self._paused_since >= ACKNOWLEDGE_SECONDS:
            self._overflow(f"nothing was acknowledged for {ACKNOWLEDGE_SECONDS:.0f} s")
        elif self._user_id is not None and now >= self._heartbeat_at:
            self._heartbeat_at = now + HEARTBEAT_SECONDS
            self._heartbeat_due = True
        return self._heartbeat_due or self._closed is not None

    def send(self, frame: ServerFrame) -> None:
        """Send a frame that is no event, before the events that wait."""
        if self._closed is not None:
            return
        self._control.append(frame)
        if len(self._control) > MAX_CONTROL_FRAMES:
            self._overflow("the client does not read what it is answered")

    def close(self, code: int, reason: str) -> None:
        """End the connection now: nothing that waits is sent. The first close stands."""
        if self._closed is None:
            self._closed = Close(code, reason)
            self._control.clear()
            self._waiting = None

    def _overflow(self, reason: str) -> None:
        self.close(4001, f"{reason}; connect again and resume")

    # What the writer does

    def next_action(self, now: float) -> Action | None:
        """What to do next; None when there is nothing until something arrives."""
        if self._control:
            return self._hand_out(self._control.pop(0), now)
        if self._closed is not None:
            return self._closed
        if self._user_id is None:
            return None
        if self._heartbeat_due:
            self._heartbeat_due = False
            return ReadState()
        if self.paused:
            if self._paused_since is None:
                self._paused_since = now
                self._block()
            return self._read() if self._reads_ahead() else None
        if self._waiting is not None:
            return self._hand_out(self._next_events(), now)
        if self._position < self._top:
            return self._read()
        return None

    def sent(self) -> None:
        """The frame that was handed out has been written."""
        self._sending_since = None
        self._unblock()

    def loaded(self, events: Sequence[LoggedEvent]) -> None:
        """The answer to `ReadLog`."""
        if self._closed is not None:
            return
        if not events:
            # Somebody announced more than there is; but what was announced during the read may be there by now.
            if not self._heard:
                self._top = self._position
            return
        if encoded_epoch(events[0].body) != self._epoch or events[0].offset != self._position + 1:
            self.close(4000, "the log was recreated; connect again")
            return
        self._position = events[-1].offset
        self._top = max(self._top, self._position)
        if self._waiting is None:
            self._waiting = deque(events)
        else:
            self._waiting.extend(events)
        if self.paused:
            self._blocked_bytes += sum(len(event.body) for event in events)
            if self._blocked_bytes > MAX_WAITING_BYTES:
                self._overflow(f"more than {MAX_WAITING_BYTES} bytes are waiting")

    def unreadable(self, error: UnrecoverablePositionError) -> None:
        """The answer to `ReadLog` when the log was trimmed or recreated: only a new connection can tell the client."""
        self.close(4000, f"events after {error.after} are gone; connect again")

    def observed(self, state: LogState) -> None:
        """The answer to `ReadState`: the client is told the top, and news that got lost is made up for."""
        self._observe(state)
        self.send(HeartbeatFrame(state.top))

    def _observe(self, state: LogState) -> None:
        if state.epoch != self._epoch:
            self.close(4000, "the log was recreated; connect again")
        self.news(state.top)

    def _read(self) -> ReadLog:
        self._heard = False
        return ReadLog(self._position, EVENTS_PER_FRAME)

    def _hand_out(self, frame: ServerFrame, now: float) -> ServerFrame:
        self._sending_since = now
        self._block()
        return frame

    def _next_events(self) -> EventsFrame:
        waiting = self._waiting
        assert waiting is not None
        events = [waiting.popleft()]
        size = len(events[0].body)
        while waiting and len(events) < EVENTS_PER_FRAME:
            size += len(waiting[0].body)
            if size > FRAME_BYTES:
                break
            events.append(waiting.popleft())
        if not waiting:
            # An idle connection keeps no queue: an empty deque takes 600 bytes.
            self._waiting = None
        self._sent = events[-1].offset
        return EventsFrame(events)

    def _reads_ahead(self) -> bool:
        """While it is paused, whether to read what arrives, so that its size is known.

        Not the backlog that was there before: a client that resumes far back is not slow for having much to read.
        """
        return self._blocked_top is not None and self._blocked_top <= self._position < self._top

    def _block(self) -> None:
        if self._blocked_top is None:
            self._blocked_top = self._top
            self._blocked_bytes = 0

    def _unblock(self) -> None:
        if self._sending_since is None and not self.paused:
            self._blocked_top = None
            self._paused_since = None
