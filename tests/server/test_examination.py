"""What `carrel doctor` finds, one thing wrong at a time."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from alembic.script import ScriptDirectory

from carrel.server.composition import open_services
from carrel.server.examination import Diagnosis, examine
from carrel.server.settings import Settings
from carrel.storage.migration import migration_config
from tests.server.served import settings_for


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def findings(settings: Settings) -> dict[str, Diagnosis]:
    return {finding.subject: finding for finding in examine(settings)}


def settings(directory: Path, **changes: Any) -> Settings:
    return settings_for(directory, **{"port": 0, **changes})


async def start_once(directory: Path, **changes: Any) -> None:
    async with open_services(settings(directory, **changes)):
        pass


def test_a_new_directory_is_fine_and_stays_as_it_is(tmp_path: Path) -> None:
    found = findings(settings(tmp_path / "new", secret=None))
    assert {finding.state for finding in found.values()} <= {"good", "note"}
    assert "the first start makes it" in found["data directory"].text
    assert not (tmp_path / "new").exists()


async def test_after_a_start_everything_is_there(tmp_path: Path) -> None:
    await start_once(tmp_path, demo_user=True, secret=None)
    found = await anyio.to_thread.run_sync(findings, settings(tmp_path, secret=None))
    assert {subject for subject, finding in found.items() if finding.state == "problem"} == set()
    assert "at the schema of this version" in found["database"].text
    assert found["users"].text == "1 can log in, 0 disabled"
    assert found["agents"].text == "supervisor, echo, stall"
    assert found["secret"].text.startswith("kept in ")


async def test_nobody_who_can_log_in_is_a_problem(tmp_path: Path) -> None:
    await start_once(tmp_path)
    found = await anyio.to_thread.run_sync(findings, settings(tmp_path))
    assert (found["users"].state, "carrel user add NAME" in found["users"].text) == ("problem", True)


async def test_a_demo_user_where_others_can_connect_is_a_problem(tmp_path: Path) -> None:
    await start_once(tmp_path, demo_user=True)
    found = await anyio.to_thread.run_sync(findings, settings(tmp_path, host="0.0.0.0"))
    assert (found["users"].state, "carrel user disable demo" in found["users"].text) == ("problem", True)
    assert (found["settings"].state, "CARREL_ALLOWED_HOSTS" in found["settings"].text) == ("note", True)
    none = await anyio.to_thread.run_sync(findings, settings(tmp_path, host="0.0.0.0", secret=None))
    assert (none["secret"].state, "openssl rand -hex 32" in none["secret"].text) == ("problem", True)


def test_a_file_that_is_no_database_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "carrel.db").write_bytes(b"hello" * 1000)
    found = findings(settings(tmp_path))
    assert (found["database"].state, "cannot be read as a database of carrel" in found["database"].text) == (
        "problem",
        True,
    )


@pytest.mark.parametrize(("newer", "state"), [(False, "note"), (True, "problem")])
async def test_another_schema_is_said(tmp_path: Path, newer: bool, state: str) -> None:
    await start_once(tmp_path)

    def look() -> dict[str, Diagnosis]:
        revision = "9999_future" if newer else ScriptDirectory.from_config(migration_config()).get_base()
        with closing(sqlite3.connect(tmp_path / "carrel.db", isolation_level=None)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        return findings(settings(tmp_path))

    found = await anyio.to_thread.run_sync(look)
    assert found["database"].state == state
    assert found["users"].state == "note"


def test_a_data_directory_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = findings(settings(tmp_path / "file"))
    assert (found["data directory"].state, "is no directory" in found["data directory"].text) == ("problem", True)


def test_a_data_directory_that_may_not_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = findings(settings(tmp_path))
    assert "may not be written" in found["data directory"].text


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1024))
    found = findings(settings(tmp_path))
    assert (found["data directory"].state, "free some space" in found["data directory"].text) == ("problem", True)


@pytest.fixture
def answering() -> Iterator[tuple[int, dict[str, Any]]]:
    body: dict[str, Any] = {"status": "ok"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(body.get("code", 200))
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port, body
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_running_carrel_on_the_port_is_fine_and_anything_else_is_not(
    tmp_path: Path, answering: tuple[int, dict[str, Any]]
) -> None:
    port, body = answering
    assert findings(settings(tmp_path, port=port))["port"].text == f"carrel is running on port {port}"
    for other in ({"status": "something else"}, {"status": "ok", "code": 500}):
        body.update(other)
        found = findings(settings(tmp_path, port=port))["port"]
        assert (found.state, "choose another with --port" in found.text) == ("problem", True)


def test_a_silent_holder_of_the_port_is_a_problem(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        assert findings(settings(tmp_path, port=holder.getsockname()[1]))["port"].state == "problem"


@pytest.mark.parametrize(("content", "mode", "said"), [("x" * 9, 0o600, "too short"), ("x" * 64, 0o644, "chmod 600")])
def test_a_secret_file_that_is_unsafe_is_a_problem(tmp_path: Path, content: str, mode: int, said: str) -> None:
    (tmp_path / "secret").write_text(content)
    (tmp_path / "secret").chmod(mode)
    found = findings(settings(tmp_path, secret=None))["secret"]
    assert (found.state, said in found.text) == ("problem", True)


def test_agents_that_cannot_be_imported_are_a_problem(tmp_path: Path) -> None:
    found = findings(settings(tmp_path, agents="missing_module:AGENTS"))["agents"]
    assert (found.state, "missing_module" in found.text) == ("problem", True)


def test_a_model_without_its_key_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(settings(tmp_path, model="openai:gpt-5-mini"))["model"]
    assert (found.state, "OPENAI_API_KEY" in found.text) == ("problem", True)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2")
    found = findings(settings(tmp_path, model="openai:gpt-5-mini"))["model"]
    assert found.state == "good"
    assert "hunter2" not in found.text
