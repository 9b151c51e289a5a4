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
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from carrel.server.socket_protocol import MALFORMED, PROTOCOL, FrameProtocol, _head

LIMIT = 1000


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4000, "reason": "bye"})
            return
        await send({"type": "websocket.send", "text": message["text"]})


async def direct(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers what it takes at once with `at once: …`, and what it leaves to `receive` with `received: …`."""
    await receive()
    protocol: FrameProtocol = scope["state"][PROTOCOL]

    def take(text: str) -> bool:
        if text.startswith("later"):
            return False
        protocol.write(f"at once: {text}".encode())
        return True

    protocol.take = take
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        assert protocol.writable_now
        await send({"type": "websocket.send", "text": f"received: {message['text']}"})
    assert not protocol.writable_now


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await (direct if scope["path"] == "/direct" else echo)(scope, receive, send)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, ws=FrameProtocol, ws_max_size=LIMIT, ws_per_message_deflate=False, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    await task


async def opened(port: int, path: bytes = b"/") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
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


async def text_of(reader: asyncio.StreamReader) -> str:
    head = await reader.readexactly(2)
    assert head[0] == 0x81, "a whole text frame"
    size = head[1]
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return (await reader.readexactly(size)).decode()


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


# The short way in and out

ONE = frame(b"one")


async def first_taken(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection whose first message has been taken: until then it is not known where messages begin."""
    reader, writer = await opened(port, b"/direct")
    writer.write(frame(b"first"))
    assert await text_of(reader) == "received: first"
    return reader, writer


@pytest.mark.parametrize("text", ["", "ä", "x" * 125])
async def test_a_short_text_is_taken_at_once(port: int, text: str) -> None:
    reader, writer = await first_taken(port)
    writer.write(frame(text.encode()))
    assert await text_of(reader) == f"at once: {text}"
    writer.close()


async def test_what_is_not_taken_is_received(port: int) -> None:
    reader, writer = await first_taken(port)
    for text in ("later", "now", "later"):
        writer.write(frame(text.encode()))
        assert await text_of(reader) == ("at once: now" if text == "now" else "received: later")
    writer.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [frame(b"x" * 126)],
        [frame(b"one") + frame(b"two")],
        [ONE[:4], ONE[4:]],
        [frame(b"one", first=0x01), frame(b"two", first=0x80)],
        [frame(b"one", first=0x01), frame(b"", first=0x89), frame(b"two", first=0x80)],
    ],
    ids=["long", "two together", "in two pieces", "in fragments", "in fragments around a ping"],
)
async def test_what_is_no_short_whole_frame_takes_the_long_way(port: int, pieces: list[bytes]) -> None:
    reader, writer = await first_taken(port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    if frame(b"", first=0x89)[:2] in (piece[:2] for piece in pieces):
        assert await reader.readexactly(2) == b"\x8a\x00", "a pong"
    assert (await text_of(reader)).startswith("received: ")
    writer.close()


async def test_bytes_inside_a_long_frame_that_look_like_a_frame_are_not_taken(port: int) -> None:
    reader, writer = await first_taken(port)
    looks_like_one = frame(b"gotcha")
    whole = b"\x81\xfe" + struct.pack("!H", 200) + bytes(4) + b"a" * (200 - len(looks_like_one)) + looks_like_one
    for piece in (whole[: -len(looks_like_one)], looks_like_one):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    # Not UTF-8, or whatever it says: one message, and no frame of its own.
    head = await reader.readexactly(2)
    assert head[0] in (0x81, 0x88)
    assert head[1] != len("at once: gotcha")
    writer.close()


@pytest.mark.parametrize("data", [frame(b"\xff"), frame(b"x", first=0x91)], ids=["not utf-8", "reserved bit"])
async def test_a_short_malformed_frame_closes_all_the_same(port: int, data: bytes) -> None:
    reader, writer = await first_taken(port)
    writer.write(data)
    assert await close_code(reader) == MALFORMED
    writer.close()


async def test_a_message_inside_fragments_closes_though_it_is_short(port: int) -> None:
    reader, writer = await first_taken(port)
    for piece in (frame(b"one", first=0x01), frame(b"two")):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    assert await close_code(reader) == MALFORMED
    writer.close()


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
def test_a_text_of_any_size_gets_its_head(size: int) -> None:
    stream = StreamReader()
    stream.feed_data(_head(size) + b"x" * size)
    parser = Frame.parse(stream.read_exact, mask=False)
    with pytest.raises(StopIteration) as parsed:
        next(parser)
    assert (parsed.value.value.opcode, len(parsed.value.value.data)) == (Opcode.TEXT, size)
