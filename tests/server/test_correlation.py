"""Requests are told apart in logs, and what nobody caught says nothing to the client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from carrel.server.correlation import Correlation


def client() -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None)
    app.add_middleware(Correlation)

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("the password is hunter2")

    @app.get("/half")
    async def half() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"x"
            raise RuntimeError("in the middle")

        return StreamingResponse(pieces())

    @app.get("/fine")
    @app.get("/healthz")
    async def fine() -> str:
        structlog.contextvars.bind_contextvars(user_id="ann")
        structlog.get_logger().info("inside")
        return "fine"

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def test_what_nobody_caught_is_a_500_with_an_id_that_the_log_has() -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        async with client() as http:
            answer = await http.get("/boom")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "hunter2" not in answer.text
    assert {line["request_id"] for line in logs} == {answer.json()["request_id"]}
    assert [line["event"] for line in logs] == ["a request failed", "request"]


async def test_an_answer_that_has_begun_is_broken_off() -> None:
    with structlog.testing.capture_logs():
        async with client() as http:
            with pytest.raises(RuntimeError, match="in the middle"):
                await http.get("/half")


async def test_the_access_log_has_the_path_and_not_the_query() -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        async with client() as http:
            await http.get("/fine%0Ax?token=hunter2")
            await http.get("/fine?token=hunter2")
            await http.get("/healthz")
    access = [line for line in logs if line["event"] == "request"]
    assert [(line["path"], line["status"], line["log_level"]) for line in access] == [
        ("/fine%0Ax", 404, "info"),
        ("/fine", 200, "info"),
        ("/healthz", 200, "debug"),
    ]
    assert "hunter2" not in str(logs)


async def test_ids_of_one_request_are_not_those_of_the_next() -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        async with client() as http:
            await http.get("/fine")
            await http.get("/nothing")
    assert logs[0]["request_id"] == logs[1]["request_id"] != logs[2]["request_id"]
    assert logs[1]["user_id"] == "ann"
    assert "user_id" not in logs[2]
    assert structlog.contextvars.get_contextvars() == {}
