"""Limits of a running server: whoever changes them, they hold within seconds, and nothing gets round them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from carrel.context import UserId
from carrel.delivery.frames import AcceptedFrame, ErrorFrame, StartRunFrame
from carrel.delivery.log import LogState
from carrel.delivery.session import DeliverySession
from carrel.server import watching
from carrel.server.commands import CommandQueue
from carrel.server.tokens import TokenSigner, hash_refresh_token, new_refresh_token
from carrel.storage.database import Database
from carrel.storage.limits import LimitStore
from carrel.storage.schema.limits import user_limits
from tests.server.served import SECRET, Caller, Served, client, served, settings_for


@asynccontextmanager
async def limited(directory: Path, **limits: Any) -> AsyncIterator[tuple[Served, Caller, Caller]]:
    """A server with these limits, ann and bob; its meters think that no time passes."""
    async with served(settings_for(directory, **limits)) as server:
        server.services.meters._clock = lambda: 1000.0
        yield server, await server.user("ann"), await server.user("bob")


async def another_token(server: Served, caller: Caller) -> Caller:
    """The same user, signed in once more."""
    secret = new_refresh_token()
    session = await server.services.accounts.open_session(
        UserId(caller.user_id), hash_refresh_token(secret), time.time() + 3600
    )
    token = TokenSigner(SECRET, seconds=900).sign(UserId(caller.user_id), session)
    http = await server.stack.enter_async_context(client(server.app, Authorization=f"Bearer {token}"))
    return Caller(caller.user_id, session, token, secret, http)


async def over_a_socket(server: Served, caller: Caller, number: int, **fields: Any) -> object:
    """What a `start_run` over a connection of its own is answered."""
    session = DeliverySession(0.0)
    session.authenticated(caller.user_id, LogState("e", 1, 0, 0), None, expires_in=60.0, now=0.0)
    session.next_action(0.0)
    session.sent()
    queue = CommandQueue(server.services.scheduler, session, lambda: None)
    identity = await server.services.authenticator.verify(caller.access_token)
    queue.put(identity.user, StartRunFrame(id=f"r{number}", input="hello", agent="stall", **fields))
    await queue.finish()
    return session.next_action(0.0)


async def refusal(caller: Caller, **body: Any) -> dict[str, Any]:
    """The problem that starting a run in a new thread is answered with."""
    thread = (await caller.http.post("/api/v1/threads")).json()["thread_id"]
    answer = await caller.http.post(f"/api/v1/threads/{thread}/runs", json={"input": "x", "agent": "stall", **body})
    assert (answer.status_code, answer.json()["code"]) == (429, "limit_exceeded"), answer.text
    problem: dict[str, Any] = answer.json()
    assert answer.headers.get("retry-after") or problem["retry_after"] is None
    return problem


@pytest.mark.parametrize("limit", ["runs_per_minute", "queued_runs"])
async def test_a_limit_on_runs_is_not_got_round_by_a_thread_a_token_or_a_connection(tmp_path: Path, limit: str) -> None:
    async with limited(tmp_path, **{limit: 2}, concurrent_runs=1) as (server, ann, bob):
        first = await ann.start(agent="stall")
        await ann.start(agent="stall")
        if limit == "queued_runs":
            await ann.start(agent="stall")
        again = await another_token(server, ann)
        for caller in (ann, again):
            problem = await refusal(caller)
            assert (problem["limit"], problem["allowed"]) == (limit, 2)
            assert problem["retry_after"] == (30 if limit == "runs_per_minute" else 1)
            assert "try again in" in problem["detail"]
            answer = await caller.http.post(f"/api/v1/threads/{first['thread_id']}/runs", json={"input": "x"})
            assert answer.status_code == 429
        for number, caller in enumerate((ann, again)):
            frame = await over_a_socket(server, caller, number)
            assert isinstance(frame, ErrorFrame)
            assert (frame.code, frame.limit) == ("limit_exceeded", limit)
            assert frame.retry_after
        assert isinstance(await over_a_socket(server, bob, 1), AcceptedFrame)
        await bob.start(agent="stall")


async def test_the_same_user_counts_once_over_all_ways_in(tmp_path: Path) -> None:
    async with limited(tmp_path, runs_per_minute=3) as (server, ann, _):
        await ann.start(agent="stall")
        await (await another_token(server, ann)).start(agent="stall")
        assert isinstance(await over_a_socket(server, ann, 1), AcceptedFrame)
        assert isinstance(await over_a_socket(server, ann, 2), ErrorFrame)
        assert (await refusal(ann))["limit"] == "runs_per_minute"


async def test_connections_are_counted_over_all_tokens_of_a_user(tmp_path: Path) -> None:
    async with limited(tmp_path, max_connections_per_user=1) as (server, ann, bob):

        class Open:
            """A connection that is open somewhere."""

            user_id = UserId(ann.user_id)
            session_id = ann.session_id

            def news(self, top: int) -> None: ...

            def tick(self, now: float) -> None: ...

            def close(self, code: int, reason: str) -> None: ...

        connection = Open()
        server.services.connections.arrive(connection)
        server.services.connections.add(connection)
        for caller in (ann, await another_token(server, ann)):
            answer = await caller.http.get("/api/v1/events")
            assert (answer.status_code, answer.json()["limit"]) == (429, "connections_per_user")
            assert answer.headers["retry-after"]
        server.services.connections.check_limit(UserId(bob.user_id))
        server.services.connections.remove(connection)


async def test_a_full_store_takes_no_thread_and_no_run_and_is_emptied_by_deleting(tmp_path: Path) -> None:
    async with limited(tmp_path) as (server, ann, bob):
        started = await ann.start()
        await ann.finished(started["run_id"])
        server.services.meters.override(UserId(ann.user_id), {"stored_bytes": 1000})
        thread = started["thread_id"]
        for path, body in (("/api/v1/threads", None), (f"/api/v1/threads/{thread}/runs", {"input": "x"})):
            answer = await ann.http.post(path, json=body)
            assert (answer.status_code, answer.json()["limit"]) == (429, "stored_bytes")
            assert "retry-after" not in answer.headers
        await bob.start()
        await server.services.log.retain(1, None)
        assert (await ann.http.delete(f"/api/v1/threads/{thread}")).status_code == 204
        assert (await ann.http.post("/api/v1/threads")).status_code == 201


async def test_what_another_process_sets_holds_within_a_look(tmp_path: Path) -> None:
    async with limited(tmp_path) as (server, ann, bob):
        other = await Database.open(server.services.settings.database_file)
        try:
            await LimitStore(other).change(UserId(ann.user_id), {"runs_per_minute": 1})
            deadline = time.monotonic() + 10
            while server.services.meters.limits_of(UserId(ann.user_id)).runs_per_minute != 1:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            await ann.start(agent="stall")
            assert (await refusal(ann))["limit"] == "runs_per_minute"
            for _ in range(2):
                await bob.start(agent="stall")
            await LimitStore(other).change(UserId(ann.user_id), {"runs_per_minute": None})
            while server.services.meters.limits_of(UserId(ann.user_id)).runs_per_minute == 1:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            server.services.meters.of(UserId(ann.user_id))._clock = lambda: 1001.0
            await ann.start(agent="stall")
        finally:
            await other.close()


async def test_a_server_that_starts_knows_what_was_set_before(tmp_path: Path) -> None:
    async with limited(tmp_path) as (server, ann, _):
        await server.services.limits.change(UserId(ann.user_id), {"concurrent_runs": 3})
    async with served(settings_for(tmp_path)) as server:
        assert server.services.meters.limits_of(UserId(ann.user_id)).concurrent_runs == 3


async def test_an_override_that_is_not_understood_changes_nothing_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)
    async with limited(tmp_path) as (server, ann, bob):
        services = server.services
        await services.limits.change(UserId(ann.user_id), {"concurrent_runs": 3})
        await services.database.write(
            lambda connection: connection.execute(update(user_limits).values(overrides={"concurrent_runs": -1, "x": 2}))
        )
        await services.limits.change(UserId(bob.user_id), {"concurrent_runs": 5})
        while services.meters.limits_of(UserId(bob.user_id)).concurrent_runs != 5:
            await asyncio.sleep(0.01)
        assert services.meters.limits_of(UserId(ann.user_id)).concurrent_runs in (3, services.settings.concurrent_runs)


async def test_a_run_that_goes_on_is_held_back_when_the_store_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)
    async with limited(tmp_path, agents="tests.server.test_limits:AGENTS") as (server, ann, _):
        started = await ann.start(agent="tireless")
        server.services.meters.override(UserId(ann.user_id), {"stored_bytes": 500})
        record = await ann.finished(started["run_id"])
        assert (record["state"], record["error"]["code"]) == ("failed", "limit_exceeded")
        assert "stored_bytes" in record["error"]["message"]


async def tireless(run: Any) -> str:
    """Think until it is refused."""
    while True:
        await run.think("and on")
        await asyncio.sleep(0.005)


AGENTS = (tireless,)
