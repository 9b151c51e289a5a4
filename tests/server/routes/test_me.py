"""Who I am, what there is of me, and how to be gone."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from carrel.context import UserId
from carrel.server.routes import me
from carrel.storage.erasure import erase_user
from carrel.storage.schema import metadata
from tests.server.served import Caller, Served, client


async def test_me_is_the_tokens_user(server: Served) -> None:
    ann = await server.user("ann", "b:write", "a:read")
    me = (await ann.http.get("/api/v1/me")).json()
    assert (me["user_id"], me["name"], me["session_id"]) == (ann.user_id, "ann", ann.session_id)
    assert me["permissions"] == ["a:read", "b:write"]


async def test_the_export_holds_everything_of_mine_and_nothing_of_others(server: Served) -> None:
    ann, bob = await server.user("ann", "usage:write"), await server.user("bob")
    await ann.finished((await ann.start("of ann"))["run_id"])
    await bob.finished((await bob.start("of bob"))["run_id"])
    answer = await ann.http.get("/api/v1/me/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    tables = {table.name for table in metadata.sorted_tables if "user_id" in table.c}
    assert {name.removesuffix(".jsonl") for name in archive.namelist()} == {*tables, "README.txt"}
    lines = {name: [json.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()] for name in tables}
    assert {row["user_id"] for rows in lines.values() for row in rows} == {ann.user_id}
    assert [row["text"] for row in lines["messages"]] == ["of ann", "OF ANN"]
    assert [row["type"] for row in lines["event_log"]][-1] == "agent_completed"
    assert [row["offset"] for row in lines["event_log"]] == list(range(1, len(lines["event_log"]) + 1))
    assert "password_hash" not in lines["users"][0]
    assert bob.user_id.encode() not in b"".join(archive.read(name) for name in archive.namelist())


async def test_being_erased_leaves_nothing_and_nobody_else_notices(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    await ann.finished((await ann.start())["run_id"])
    kept = await bob.start()
    await bob.finished(kept["run_id"])
    assert (await ann.http.delete("/api/v1/me")).status_code == 204
    assert (await ann.http.get("/api/v1/me")).status_code == 401
    assert (
        await server.http.post("/api/v1/auth/refresh", json={"refresh_token": ann.refresh_token})
    ).status_code == 401
    hers = {
        name: table.select().where(table.c.user_id == ann.user_id)
        for name, table in metadata.tables.items()
        if "user_id" in table.c
    }
    left = await server.services.database.read(
        lambda connection: [name for name, rows in hers.items() if connection.execute(rows).first()]
    )
    assert left == []
    assert (await bob.finished(kept["run_id"]))["output"] == "HELLO"


@dataclass(eq=False)
class Connection:
    """One that is open until it is closed."""

    user_id: UserId
    session_id: str
    closed: int | None = None

    def news(self, top: int) -> None: ...

    def tick(self, now: float) -> None: ...

    def close(self, code: int, reason: str) -> None:
        self.closed = code


@contextmanager
def connected(server: Served, *users: Caller) -> Iterator[list[Connection]]:
    """Two connections of each user, of two sessions."""
    connections = [
        Connection(UserId(one.user_id), session) for one in users for session in (one.session_id, f"of {one.user_id}")
    ]
    for connection in connections:
        server.services.connections.arrive(connection)
        server.services.connections.add(connection)
    yield connections
    for connection in connections:
        server.services.connections.remove(connection)


async def test_being_erased_closes_every_connection_of_mine_and_no_other(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    with connected(server, ann, bob) as connections:
        assert (await ann.http.delete("/api/v1/me")).status_code == 204
        assert [one.closed for one in connections] == [4501, 4501, None, None]


async def test_no_connection_is_open_while_somebody_is_erased(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await server.user("ann")
    closed: list[int | None] = []

    async def noted(*what: Any) -> None:
        closed.extend(one.closed for one in connections)
        await erase_user(*what)

    monkeypatch.setattr(me, "erase_user", noted)
    with connected(server, ann) as connections:
        assert (await ann.http.delete("/api/v1/me")).status_code == 204
    assert closed == [4501, 4501]


async def test_while_a_run_is_open_nothing_is_erased_and_nothing_closed(server: Served) -> None:
    ann = await server.user("ann")
    started = await ann.start("wait", "stall")
    with connected(server, ann) as connections:
        answer = await ann.http.delete("/api/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (409, "user_busy")
        assert [one.closed for one in connections] == [None, None]
    assert (await ann.http.get(f"/api/v1/runs/{started['run_id']}")).status_code == 200


async def test_an_account_that_is_gone_is_nobody(server: Served) -> None:
    ann = await server.user("ann")
    await ann.http.delete("/api/v1/me")
    async with client(server.app, Authorization=f"Bearer {ann.access_token}") as http:
        for path in ("/api/v1/me", "/api/v1/threads", "/api/v1/me/export"):
            assert (await http.get(path)).status_code == 401
