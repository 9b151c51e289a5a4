"""An HTTP/1.1 client that keeps its connection and reads server-sent events, in as few steps as asyncio allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple, Self

import msgspec

__all__ = ["HttpConnection", "HttpError", "Response", "ServerEvent"]

_LIMIT = 1 << 20


class HttpError(Exception):
    """Raised when the answer is not a success."""


class Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, str]:
        return msgspec.json.decode(self.body, type=dict)


class ServerEvent(NamedTuple):
    id: str
    type: str
    data: bytes


class HttpConnection:
    """One connection to `port` on this machine, opened again when the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send and read the whole answer. Raises `HttpError` when it is not 2xx."""
        status, found = await self._send(method, path, headers or {}, body)
        content = b"".join([piece async for piece in self._pieces(found)])
        if not 200 <= status < 300:
            raise HttpError(f"{method} {path}: {status} {content[:300].decode(errors='replace')}")
        return Response(status, found, content)

    async def stream(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> AsyncGenerator[ServerEvent, None]:
        """Send and yield events until the answer ends. Raises `HttpError` when it is not 2xx."""
        accept = {"Accept": "text/event-stream", **(headers or {})}
        status, found = await self._send(method, path, accept, body)
        rest = b""
        async for piece in self._pieces(found):
            if not 200 <= status < 300:
                raise HttpError(f"{method} {path}: {status} {piece[:300].decode(errors='replace')}")
            *blocks, rest = (rest + piece.replace(b"\r\n", b"\n")).split(b"\n\n")
            for block in blocks:
                if (event := _parse(block)) is not None:
                    yield event

    def abort(self) -> None:
        """Drop the connection without a word."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.abort()

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str]]:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        if self._writer is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_LIMIT)
        self._writer.write(message)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        return int(head[0].split(" ", 2)[1]), found

    async def _pieces(self, headers: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        if "chunked" in headers.get("transfer-encoding", ""):
            while size := int(await self._reader.readline(), 16):
                yield (await self._reader.readexactly(size + 2))[:-2]
            await self._reader.readline()
        elif "content-length" in headers:
            if length := int(headers["content-length"]):
                yield await self._reader.readexactly(length)
        else:
            while piece := await self._reader.read(65536):
                yield piece
        if headers.get("connection", "").lower() == "close":
            self.abort()


def _parse(block: bytes) -> ServerEvent | None:
    fields = {"id": "", "event": "", "data": ""}
    for line in block.decode().split("\n"):
        name, _, value = line.partition(":")
        if name in fields:
            fields[name] = value.removeprefix(" ")
    if not any(fields.values()):
        return None
    return ServerEvent(fields["id"], fields["event"], fields["data"].encode())
