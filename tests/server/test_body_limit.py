"""Bodies that are too long are refused, declared or not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

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
