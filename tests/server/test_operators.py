"""Who gets to see what concerns the server: with the token of the settings, or on this machine in development."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.served import served, settings_for

TOKEN = "a token of at least thirty-two characters"


async def ask(
    directory: Path, *, address: str = "127.0.0.1", token: str | None = None, **settings: Any
) -> httpx.Response:
    async with served(settings_for(directory, **settings)) as server:
        transport = httpx.ASGITransport(server.app, client=(address, 123))
        headers = {"Authorization": token} if token is not None else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as http:
            return await http.get("/metrics")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
async def test_without_a_token_this_machine_may_in_development(tmp_path: Path, address: str) -> None:
    assert (await ask(tmp_path, address=address)).status_code == 200


@pytest.mark.parametrize(
    ("address", "settings"),
    [
        ("192.0.2.1", {}),
        ("not an address", {}),
        ("127.0.0.1", {"environment": "production"}),
        ("127.0.0.1", {"host": "0.0.0.0"}),  # noqa: S104 - nothing is bound
    ],
    ids=["from elsewhere", "unknown", "production", "listening to all"],
)
async def test_without_a_token_there_is_no_such_page_for_others(
    tmp_path: Path, address: str, settings: dict[str, Any]
) -> None:
    answer = await ask(tmp_path, address=address, **settings)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
async def test_with_a_token_whoever_sends_it_may_and_nobody_else(tmp_path: Path, address: str) -> None:
    given = {"metrics_token": TOKEN, "environment": "production", "address": address}
    assert (await ask(tmp_path, token=f"Bearer {TOKEN}", **given)).status_code == 200
    for wrong in (None, "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"):
        answer = await ask(tmp_path, token=wrong, **given)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"] == 'Bearer realm="carrel"'
        assert TOKEN not in answer.text


async def test_a_users_token_is_none_of_an_operator(tmp_path: Path) -> None:
    async with served(settings_for(tmp_path, metrics_token=TOKEN)) as server:
        ann = await server.user("ann", "*")
        assert (await ann.http.get("/metrics")).status_code == 401
