"""Bodies that are too long are refused, declared or not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message

from carrel.server import body_limit as module
from carrel.server.body_limit import BodyLimit
from carrel.server.problems import install_problems


def client() -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None)
    install_problems(app)
    app.add_middleware(BodyLimit, limit_of=lambda path: 100 if path == "/upload" else 10)

    @app.post("/{path:path}")
    async def length(request: Request) -> int:
        return len(await request.body())

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size):
        yield b"x"


@pytest.mark.parametrize(("path", "fits", "over"), [("/x", 10, 11), ("/upload", 100, 101)])
async def test_the_limit_of_the_path_holds(path: str, fits: int, over: int) -> None:
    async with client() as http:
        assert (await http.post(path, content=b"x" * fits)).json() == fits
        assert (await http.post(path, content=pieces(fits))).json() == fits
        for answer in (await http.post(path, content=b"x" * over), await http.post(path, content=pieces(over))):
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_declared_length_is_refused_before_reading() -> None:
    async with client() as http:
        answer = await http.post("/x", content=pieces(3), headers={"Content-Length": "9" * 30})
    assert answer.status_code == 413


@pytest.mark.parametrize("declared", [True, False])
async def test_what_still_comes_of_a_refused_body_is_passed_over_before_the_connection_closes(declared: bool) -> None:
    """By the messages: a server closes after the last one, and what it has not read then resets the connection."""
    app = FastAPI(openapi_url=None)
    install_problems(app)
    app.add_middleware(BodyLimit, limit_of=lambda path: 10)

    @app.post("/x")
    async def length(request: Request) -> int:
        return len(await request.body())

    happened: list[str] = []
    pieces = iter([b"x" * 20, b"x" * 20, b"x" * 20])

    async def receive() -> Message:
        piece = next(pieces)
        happened.append("piece")
        return {"type": "http.request", "body": piece, "more_body": happened.count("piece") < 3}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            happened.append("told" if message.get("more_body") else "over")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "query_string": b"",
        "headers": [(b"content-length", b"60")] if declared else [],
    }
    await app(scope, receive, send)
    assert [one for one in happened if one != "piece"] == ["told", "over"]
    assert happened.count("piece") == 3
    assert happened[-1] == "over"


async def test_who_sends_for_ever_is_closed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_BYTES", 1000)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100

    async with client() as http:
        answer = await http.post("/x", content=endless(), headers={"Content-Length": "1000000"})
    assert answer.status_code == 413
