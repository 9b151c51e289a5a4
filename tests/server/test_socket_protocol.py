"""Frames that break the limits, on a socket of this test."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from carrel.server.socket_protocol import MALFORMED, FrameProtocol

LIMIT = 1000


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4000, "reason": "bye"})
            return
        await send({"type": "websocket.send", "text": message["text"]})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        echo, ws=FrameProtocol, ws_max_size=LIMIT, ws_per_message_deflate=False, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    await task


async def opened(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def frame(payload: bytes, *, first: int = 0x81) -> bytes:
    """A masked frame; `first` is its first byte: 0x81 is text, whole."""
    mask = os.urandom(4)
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size <= 0xFFFF:
        length = b"\xfe" + struct.pack("!H", size)
    else:
        length = b"\xff" + struct.pack("!Q", size)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes([first]) + length + mask + masked


async def close_code(reader: asyncio.StreamReader) -> int:
    head = await reader.readexactly(2)
    assert head[0] == 0x88, "a close frame"
    code: int = struct.unpack("!H", (await reader.readexactly(head[1] & 0x7F))[:2])[0]
    return code


@pytest.mark.parametrize(
    "data",
    [
        frame(b"x" * (LIMIT + 1)),
        frame(b"x" * 70_000),
        frame(b"\xff"),
        frame(b"x", first=0x83),
        frame(b"x", first=0xC1),
        frame(b"x" * 600, first=0x01) + frame(b"x" * 600, first=0x80),
    ],
    ids=["too long", "much too long", "not utf-8", "unknown opcode", "reserved bit", "too long in pieces"],
)
async def test_a_malformed_frame_closes_with_carrels_code(port: int, data: bytes) -> None:
    reader, writer = await opened(port)
    writer.write(data)
    assert await close_code(reader) == MALFORMED
    writer.close()


async def test_the_code_arrives_though_the_rest_of_the_frame_is_still_coming(port: int) -> None:
    reader, writer = await opened(port)
    whole = frame(b"x" * 300_000)
    writer.write(whole[:5000])
    assert await close_code(reader) == MALFORMED
    for start in range(5000, len(whole), 5000):
        writer.write(whole[start : start + 5000])
        await writer.drain()
    writer.close()


async def test_a_frame_within_the_limits_is_untouched(port: int) -> None:
    reader, writer = await opened(port)
    writer.write(frame(b"x" * LIMIT))
    assert (await reader.readexactly(4 + LIMIT))[4:] == b"x" * LIMIT
    writer.close()


async def test_other_codes_are_untouched(port: int) -> None:
    reader, writer = await opened(port)
    writer.write(frame(b"bye"))
    assert await close_code(reader) == 4000
    writer.close()
