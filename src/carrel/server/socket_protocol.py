"""uvicorn's WebSocket protocol: with carrel's own close code, and a short way in and out for small frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import (  # type: ignore[attr-defined]  # apply_mask: in C, where there is that
    CloseCode,
    Frame,
    apply_mask,
)
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from carrel.delivery.frames import MAX_FRAME_BYTES

__all__ = ["MALFORMED", "PROTOCOL", "FrameProtocol"]

MALFORMED: Final = 4503
PROTOCOL: Final = "carrel.protocol"
"""Where the state of a WebSocket's scope holds its `FrameProtocol`."""
LINGER_SECONDS: Final = 2.0
SWITCHING_PROTOCOLS: Final = 101

# RFC 6455, section 5.2: the first byte of a text frame that is a whole message, and the second's bit for a mask.
WHOLE_TEXT: Final = 0x81
MASKED: Final = 0x80
SHORT: Final = 125
SHORT_HEAD: Final = 6
"""Two bytes, and four of the mask."""
_FRAMES_FAULTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        CloseCode.MESSAGE_TOO_BIG: f"a frame has at most {MAX_FRAME_BYTES} bytes; upload long input as a file",
        CloseCode.INVALID_DATA: "a text frame is not UTF-8; send JSON text",
        CloseCode.PROTOCOL_ERROR: "malformed frame",
    }
)


class _Frames(ServerProtocol):
    """Too long, not UTF-8, not a frame: the protocol of carrel has one close code for all three, and says which."""

    between_messages = False
    """Whether everything that was received made whole messages."""

    def receive_data(self, data: bytes | bytearray) -> None:
        self.between_messages = False
        super().receive_data(data)

    def recv_frame(self, frame: Frame) -> None:
        super().recv_frame(frame)
        self.between_messages = self.current_size is None and not self.reader.buffer

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        super().fail(*_own(code, reason))

    def send_close(self, code: CloseCode | int | None = None, reason: str = "") -> None:
        if code is None:
            super().send_close()
        else:
            super().send_close(*_own(code, reason))


def _own(code: CloseCode | int, reason: str) -> tuple[int, str]:
    return (MALFORMED, _FRAMES_FAULTS[code]) if code in _FRAMES_FAULTS else (code, reason)


class FrameProtocol(WebSocketsSansIOProtocol):
    """Closes a connection with 4503, and such that the client gets to see it, when a frame is malformed.

    An application finds it in its scope, at `state[PROTOCOL]`, and may use it besides ASGI: `write` sends a text frame
    while `writable_now`; `take` is asked for a short text frame before ASGI's `receive`, which gets it when `take` says
    no. Each spares a task switch, and most of what a frame costs.
    """

    conn: _Frames
    take: Callable[[str], bool] | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = _Frames(max_size=config.ws_max_size, logger=logging.getLogger("uvicorn.error"))

    @property
    def writable_now(self) -> bool:
        """Whether the connection is open and the client takes what it is sent."""
        return self.conn.state is State.OPEN and self.writable.is_set() and not self.transport.is_closing()

    def write(self, text: bytes) -> None:
        """Send a text frame of this UTF-8, now."""
        self.transport.write(_head(len(text)) + text)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == SWITCHING_PROTOCOLS:
            self.scope["state"][PROTOCOL] = self

    def data_received(self, data: bytes) -> None:
        if self.take is None or not self._take_short(data, self.take):
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.take = None

    def _take_short(self, data: bytes, take: Callable[[str], bool]) -> bool:
        """Offer `data` to `take` when it is one short text frame, whole, and nothing before it waits to be received."""
        size = len(data) - SHORT_HEAD
        if not 0 <= size <= SHORT or data[0] != WHOLE_TEXT or data[1] != MASKED | size:
            return False
        if self.read_paused or not self.conn.between_messages or self.conn.state is not State.OPEN:
            return False
        try:
            text = apply_mask(data[SHORT_HEAD:], data[2:SHORT_HEAD]).decode()
        except UnicodeDecodeError:
            return False
        return take(text)

    def send_receive_event_to_app(self) -> None:
        # uvicorn would log it as an error of the server's, with a traceback: any client could fill the log.
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf8(self.frames):
            self.frames = []
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        if self.close_timer is not None:
            return
        closed = self.conn.close_sent
        if closed is not None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": closed.code, "reason": closed.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # Closing at once, with more of the frame on its way, resets the connection: the client would see no code.
        # What comes until then is read and dropped.
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _is_utf8(pieces: Sequence[bytes]) -> bool:
    if all(piece.isascii() for piece in pieces):
        return True
    try:
        b"".join(pieces).decode()
    except UnicodeDecodeError:
        return False
    return True


def _head(size: int) -> bytes:
    """What comes before `size` bytes of text, unmasked."""
    if size <= SHORT:
        return bytes((WHOLE_TEXT, size))
    if size <= 0xFFFF:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")
