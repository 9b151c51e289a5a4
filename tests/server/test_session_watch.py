"""Connections end with their session, whoever ended it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from carrel.context import UserId
from carrel.server import watching
from carrel.server.authenticator import EXTERNAL_SESSION
from carrel.server.session_watch import SessionWatch
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from tests.server.served import Caller, Served, served, settings_for


class Connected:
    """A connection that notes how it was closed."""

    def __init__(self, server: Served, user_id: str, session_id: str) -> None:
        self.user_id = UserId(user_id)
        self.session_id = session_id
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        server.services.connections.arrive(self)
        server.services.connections.add(self)

    def news(self, top: int) -> None: ...

    def tick(self, now: float) -> None: ...

    def close(self, code: int, reason: str) -> None:
        if not self.closed.done():
            self.closed.set_result(code)


def connected(server: Served, caller: Caller) -> Connected:
    return Connected(server, caller.user_id, caller.session_id)


async def test_what_another_process_ends_is_closed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)
    async with served(settings_for(tmp_path)) as server:
        ann, bob = await server.user("ann"), await server.user("bob")
        hers, his = connected(server, ann), connected(server, bob)
        other = await Database.open(server.services.settings.database_file)
        await AccountStore(other).set_disabled(UserId(ann.user_id), True)
        await other.close()
        assert await hers.closed == 4501
        await asyncio.sleep(0.05)
        assert not his.closed.done()


async def test_a_new_password_closes_what_the_old_one_opened(tmp_path: Path) -> None:
    async with served(settings_for(tmp_path)) as server:
        ann = await server.user("ann")
        hers = connected(server, ann)
        watch = SessionWatch(server.services.accounts, server.services.connections)
        await watch.look()
        assert not hers.closed.done()
        await server.services.accounts.set_password(UserId(ann.user_id), "another hash")
        await watch.look()
        assert await hers.closed == 4501


async def test_users_of_a_provider_go_by_their_account(tmp_path: Path) -> None:
    async with served(settings_for(tmp_path)) as server:
        accounts = server.services.accounts
        account = await accounts.create_external("https://id.example", "ann", "ann at id", frozenset())
        hers = Connected(server, account.user_id, f"{EXTERNAL_SESSION}{account.user_id}")
        watch = SessionWatch(accounts, server.services.connections)
        await watch.look()
        assert not hers.closed.done()
        await accounts.set_disabled(account.user_id, True)
        await watch.look()
        assert await hers.closed == 4501
