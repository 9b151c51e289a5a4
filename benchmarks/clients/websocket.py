"""A WebSocket client for protocol version 1 that checks every event and costs little: thousands fit on one core."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import msgspec

__all__ = ["Client", "ConnectError", "Tally", "connect", "connect_all"]

ACK_EVENTS = 8
ACK_SECONDS = 0.25


class _Data(msgspec.Struct):
    text: str | None = None


class _Event(msgspec.Struct):
    type: str
    offset: int
    user_id: str
    run_id: str
    parent_request_id: str | None
    data: _Data


class _Frame(msgspec.Struct):
    type: str
    events: list[_Event] = []
    id: str | None = None
    run_id: str | None = None
    user_id: str | None = None
    epoch: str | None = None
    top: int = 0
    gap: bool = False
    code: str | None = None
    message: str | None = None


_decode = msgspec.json.Decoder(_Frame).decode


class ConnectError(Exception):
    """Raised when a server refuses or ends a connection; the message says with what."""


class Tally:
    """What a group of clients saw; shared by them, because one loop runs them all."""

    def __init__(self, *, acknowledge: bool = True) -> None:
        self.acknowledge = acknowledge
        self.events = 0
        self.frames = 0
        self.bytes = 0
        self.acks = 0
        self.duplicated = 0
        self.reordered = 0
        self.foreign = 0
        self.errors: list[str] = []
        self.latencies: list[float] = []
        self.waiting: deque[tuple[float, Client]] = deque()

    async def acknowledge_late(self) -> None:
        """Send the acknowledgements that are due after 250 ms; runs until cancelled."""
        while True:
            await asyncio.sleep(0.02)
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                _, client = self.waiting.popleft()
                client.acknowledge()


class Client(asyncio.Protocol):
    """One connection of one user. Errors are counted in `tally`, never raised from callbacks."""

    def __init__(self, host: str, token: str, tally: Tally, resume: tuple[str, int] | None = None) -> None:
        self._host = host
        self._token = token
        self.tally = tally
        self._resume = resume
        self._buffer = b""
        self._open = False
        self._acked = 0
        self._ack_due = False
        self._transport: asyncio.Transport
        self.user_id = ""
        self.epoch = ""
        self.last = 0
        self.missing: set[int] = set()
        self.runs_ended = 0
        self.stop_at: int | None = None
        self.ready: asyncio.Future[_Frame] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.run_ended = asyncio.Event()
        self.reached = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: carrel.v1\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._open:
            head, separator, buffer = buffer.partition(b"\r\n\r\n")
            if not separator:
                self._buffer = head
                return
            if b" 101 " not in head[:20]:
                self._end(head.split(b"\r\n", 1)[0].decode())
                return
            self._open = True
            self._authenticate()
        start = 0
        while (end := self._take(buffer, start)) > start:
            start = end
        self._buffer = buffer[start:]

    def connection_lost(self, error: Exception | None) -> None:
        self._end(repr(error) if error else "end of stream")

    def start_run(self, number: int | str, input: str, agent: str) -> None:
        frame = {"type": "start_run", "id": f"{number}-{time.monotonic_ns()}", "input": input, "agent": agent}
        self.run_ended.clear()
        self._write(msgspec.json.encode(frame))

    def acknowledge(self) -> None:
        """Acknowledge everything so far, unless that was done."""
        self._ack_due = False
        if self.last > self._acked and not self._transport.is_closing():
            self._acked = self.last
            self.tally.acks += 1
            self._write(b'{"type":"ack","offset":%d}' % self.last)

    def abort(self) -> None:
        """Vanish, as a client whose power fails: no close frame, no acknowledgement."""
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    def _authenticate(self) -> None:
        frame: dict[str, Any] = {"type": "authenticate", "token": self._token}
        if self._resume is not None:
            frame["resume"] = {"epoch": self._resume[0], "offset": self._resume[1]}
            self.last = self._acked = self._resume[1]
        self._write(msgspec.json.encode(frame))

    def _write(self, payload: bytes) -> None:
        size = len(payload)
        # A masking key of zeros is as valid as any other, and leaves the payload as it is.
        if size < 126:
            head = bytes((0x81, 0x80 | size)) + b"\0\0\0\0"
        elif size < 65536:
            head = b"\x81\xfe" + size.to_bytes(2, "big") + b"\0\0\0\0"
        else:
            head = b"\x81\xff" + size.to_bytes(8, "big") + b"\0\0\0\0"
        self._transport.write(head + payload)

    def _take(self, buffer: bytes, start: int) -> int:
        """Handle the frame at `start` and return where the next one begins; `start` when it is not complete."""
        available = len(buffer) - start
        if available < 2:
            return start
        size, body = buffer[start + 1], start + 2
        if size == 126:
            size, body = int.from_bytes(buffer[start + 2 : start + 4], "big"), start + 4
        elif size == 127:
            size, body = int.from_bytes(buffer[start + 2 : start + 10], "big"), start + 10
        end = body + size
        if end > len(buffer) or body > len(buffer):
            return start
        kind = buffer[start] & 15
        if kind == 1:
            self._handle(buffer[body:end])
        elif kind == 8:
            self._end(f"closed with {int.from_bytes(buffer[body : body + 2], 'big')} {buffer[body + 2 : end].decode()}")
        elif kind == 9:
            self._transport.write(bytes((0x8A, 0x80 | size)) + b"\0\0\0\0" + buffer[body:end])
        return end

    def _handle(self, body: bytes) -> None:
        frame = _decode(body)
        if frame.type == "events":
            self.tally.frames += 1
            self.tally.bytes += len(body)
            self._handle_events(frame.events)
        elif frame.type == "ready":
            self.user_id, self.epoch = frame.user_id or "", frame.epoch or ""
            if self._resume is None:
                self.last = self._acked = frame.top
            if not self.ready.done():
                self.ready.set_result(frame)
        elif frame.type == "error":
            self.tally.errors.append(f"{frame.code}: {frame.message}")
            self.run_ended.set()

    def _handle_events(self, events: Sequence[_Event]) -> None:
        now, tally = time.monotonic(), self.tally
        for event in events:
            if self.stop_at is not None and self.last >= self.stop_at:
                break
            tally.events += 1
            if event.user_id != self.user_id:
                tally.foreign += 1
            elif event.offset == self.last + 1:
                self.last += 1
            else:
                self._out_of_order(event.offset)
            text = event.data.text
            if text is not None and text[:1].isdigit():
                tally.latencies.append(now - float(text[: text.find(" ")]))
            if event.type == "agent_completed" and event.parent_request_id is None:
                self.runs_ended += 1
                if tally.acknowledge:
                    self.acknowledge()
                self.run_ended.set()
        if self.stop_at is not None and self.last >= self.stop_at:
            self.reached.set()
        elif tally.acknowledge:
            if self.last - self._acked >= ACK_EVENTS:
                self.acknowledge()
            elif not self._ack_due and self.last > self._acked:
                self._ack_due = True
                tally.waiting.append((now + ACK_SECONDS, self))

    def _out_of_order(self, offset: int) -> None:
        if offset > self.last:
            self.missing.update(range(self.last + 1, offset))
            self.last = offset
        elif offset in self.missing:
            self.missing.discard(offset)
            self.tally.reordered += 1
        else:
            self.tally.duplicated += 1

    def _end(self, reason: str) -> None:
        if not self.closed.done():
            self.closed.set_result(reason)
        if not self.ready.done():
            self.ready.set_exception(ConnectError(reason))
            self.ready.exception()
        self.run_ended.set()
        self.reached.set()


async def connect(
    port: int, token: str, tally: Tally, *, resume: tuple[str, int] | None = None, source: str = "127.0.0.1"
) -> Client:
    """A client whose server has said `ready`. Raises `ConnectError` when it refuses."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(
        lambda: Client(f"127.0.0.1:{port}", token, tally, resume), "127.0.0.1", port, local_addr=(source, 0)
    )
    await asyncio.wait_for(client.ready, 30)
    return client


async def connect_all(port: int, tokens: Sequence[str], tally: Tally, *, at_once: int = 50) -> list[Client]:
    """One client for each token.

    Every four thousand of them use another loopback source address, so that ports suffice.
    """
    gate = asyncio.Semaphore(at_once)

    async def one(number: int, token: str) -> Client:
        async with gate:
            return await connect(port, token, tally, source=f"127.0.0.{2 + number // 4000}")

    return list(await asyncio.gather(*(one(number, token) for number, token in enumerate(tokens))))
