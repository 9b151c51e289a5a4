"""Liveness and readiness."""

from __future__ import annotations

import structlog

from carrel.errors import StorageError
from tests.server.served import Served


async def test_a_running_server_is_alive_and_ready(server: Served) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await server.http.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_without_its_database_it_is_alive_and_not_ready(server: Served) -> None:
    class Broken:
        def read(self, work: object) -> object:
            raise StorageError("the disk is on fire")

    object.__setattr__(server.services, "database", Broken())
    assert (await server.http.get("/healthz")).status_code == 200
    with structlog.testing.capture_logs() as logs:
        answer = await server.http.get("/readyz")
    assert "on fire" in str(logs)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert "fire" not in answer.text
