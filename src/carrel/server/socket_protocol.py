"""uvicorn's WebSocket protocol, closing with carrel's own code what breaks the limits of a frame."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode
from websockets.server import ServerProtocol

__all__ = ["MALFORMED", "FrameProtocol"]

MALFORMED: Final = 4503
LINGER_SECONDS: Final = 2.0
_FRAMES_FAULTS: Final = frozenset({CloseCode.MESSAGE_TOO_BIG, CloseCode.INVALID_DATA, CloseCode.PROTOCOL_ERROR})


class _Frames(ServerProtocol):
    """Too long, not UTF-8, not a frame: the protocol of carrel has one close code for all three."""

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        super().fail(*_own(code, reason))

    def send_close(self, code: CloseCode | int | None = None, reason: str = "") -> None:
        if code is None:
            super().send_close()
        else:
            super().send_close(*_own(code, reason))


def _own(code: CloseCode | int, reason: str) -> tuple[int, str]:
    return (MALFORMED, "malformed frame") if code in _FRAMES_FAULTS else (code, reason)


class FrameProtocol(WebSocketsSansIOProtocol):
    """Closes a connection with 4503, and such that the client gets to see it, when a frame is malformed."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = _Frames(max_size=config.ws_max_size, logger=logging.getLogger("uvicorn.error"))

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
