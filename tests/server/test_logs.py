"""Logs: one stream for everybody, JSON in production, and no secret in either form."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from carrel.server.logs import configure_logging, redact, without_query
from carrel.server.settings import Settings

PASSWORD = "hunter2"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in ("uvicorn.error", "uvicorn.access", "alembic")}
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def write(environment: str) -> str:
    stream = io.StringIO()
    configure_logging(Settings.model_validate({"environment": environment}), stream)
    structlog.contextvars.bind_contextvars(request_id="r1")
    log = structlog.get_logger("carrel.test")
    log.info("signed in as %s", "ann", password="hunter2", token="hunter2", note=f"Bearer {TOKEN}")
    logging.getLogger("uvicorn.error").warning('%s - "WebSocket %s" 403', "1.2.3.4", "/ws?token=hunter2")
    logging.getLogger("somebody").error("form password=hunter2&x=1", extra={"secret": "hunter2", "n": 1})
    log.debug("not shown")

    def sign_in(password: str) -> None:
        raise ValueError(f"bad {TOKEN}")

    try:
        sign_in(PASSWORD)
    except ValueError as error:
        log.error("failed", exc_info=error)
    return stream.getvalue()


@pytest.mark.parametrize("environment", ["development", "production"])
def test_no_secret_is_written(environment: str) -> None:
    written = write(environment)
    assert "hunter2" not in written
    assert TOKEN not in written
    assert "ValueError" in written
    assert "not shown" not in written


def test_production_writes_one_json_object_a_line() -> None:
    lines = [json.loads(line) for line in write("production").splitlines()]
    assert [line["event"] for line in lines] == [
        "signed in as ann",
        '1.2.3.4 - "WebSocket /ws 403',
        "form password=[hidden]&x=1",
        "failed",
    ]
    assert {"level", "logger", "timestamp", "request_id"} <= set(lines[0])
    assert lines[2]["n"] == 1
    assert "sign_in" in lines[3]["exception"]


def test_development_writes_text() -> None:
    written = write("development")
    assert "signed in as ann" in written
    assert "\x1b" not in written


def test_secret_keys_are_hidden_whatever_they_hold() -> None:
    event = redact(None, "", {"Password": ["a"], "refresh_token": None, "n": 1, "url": "x?token=abc&y"})
    assert event == {"Password": "[hidden]", "refresh_token": "[hidden]", "n": 1, "url": "x?token=[hidden]&y"}


def test_only_uvicorns_messages_lose_their_query() -> None:
    assert without_query(None, "", {"logger": "uvicorn.error", "event": "GET /x?a=b 200"})["event"] == "GET /x 200"
    assert without_query(None, "", {"logger": "carrel", "event": "what? yes"})["event"] == "what? yes"
