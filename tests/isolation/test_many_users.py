"""200 users on one real server, cut off, slow, impatient and nosy at once: not one foreign byte."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from carrel.server.tokens import TokenSigner, hash_refresh_token
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from tests.isolation.visitor import Visitor, new_canary

ROOT = Path(__file__).parents[2]
SECRET = "0123456789abcdef0123456789abcdef"


async def make_tokens(directory: Path, count: int) -> list[str]:
    """Tokens of new users, written to the database: hashing 200 passwords would take longer than the test."""
    signer = TokenSigner(SecretStr(SECRET), seconds=3600)
    database = await Database.open(directory / "carrel.db")
    accounts = AccountStore(database)
    tokens = []
    for number in range(count):
        account = await accounts.create(f"user-{number}", "no password is ever checked", frozenset())
        session = await accounts.open_session(
            account.user_id, hash_refresh_token(secrets.token_hex(32)), time.time() + 3600
        )
        tokens.append(signer.sign(account.user_id, session))
    await database.close()
    return tokens


@asynccontextmanager
async def visitors(directory: Path, count: int, *, agent: str, seed: int) -> AsyncIterator[Sequence[Visitor]]:
    """That many users of one `carrel serve`."""
    tokens = await make_tokens(directory, count)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CARREL_")},
        "PYTHONPATH": str(ROOT),
        "CARREL_SECRET": SECRET,
        "CARREL_DEMO_USER": "false",
        "CARREL_AGENTS": "tests.isolation.agents:AGENTS",
        "CARREL_TOOLS": "tests.isolation.agents:TOOLS",
    }
    with (directory / "stderr").open("w") as errors:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "carrel", "serve", "--port", "0", "--data-dir", str(directory)),
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        assert server.stdout is not None
        url = (await server.stdout.readline()).decode().split()[-1]
        chance = random.Random(seed)
        everybody = [
            Visitor(url, token, new_canary(chance), random.Random(chance.random()), agent=agent) for token in tokens
        ]
        for one in everybody:
            one.others = [other for other in everybody if other is not one]
        while "stops it" not in (await server.stdout.readline()).decode():
            pass
        yield everybody
    finally:
        server.kill()
        await server.wait()


def leaks(everybody: Sequence[Visitor]) -> list[tuple[int, int]]:
    """(who received, whose canary) for every canary that came to somebody else, backwards too."""
    found: list[tuple[int, int]] = []
    owners = {one.canary: number for number, one in enumerate(everybody)}
    owners |= {one.canary[::-1]: number for number, one in enumerate(everybody)}
    for number, one in enumerate(everybody):
        seen = "\n".join(one.received)
        found.extend((number, owner) for canary, owner in owners.items() if owner != number and canary in seen)
    return found


@pytest.mark.timeout(300)
async def test_two_hundred_users_receive_not_one_foreign_byte(tmp_path: Path) -> None:
    async with visitors(tmp_path, 200, agent="worker", seed=1) as everybody:
        await asyncio.gather(*(one.visit(runs=2) for one in everybody))
    assert leaks(everybody) == []
    for one in everybody:
        assert one.canary in "".join(one.received), "the check would see nothing"
        assert one.offsets == list(range(1, len(one.offsets) + 1)), "an event was lost or came twice"
        assert len(one.runs) == 2, "a repeated id started a second run, or one was lost"
        assert set(one.finished.values()) <= {"succeeded", "cancelled"}
    assert sum("cancelled" in one.finished.values() for one in everybody) > 0


@pytest.mark.timeout(120)
async def test_a_leak_would_be_seen(tmp_path: Path) -> None:
    async with visitors(tmp_path, 5, agent="leaky", seed=2) as everybody:
        await asyncio.gather(*(one.visit(runs=2) for one in everybody))
    assert leaks(everybody) != []
