"""The first start: a secret and a demo user on a private server, neither on one that others can reach."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from carrel.errors import SettingsError
from carrel.server.first_start import demo_login, secret_file, signing_secret
from carrel.server.passwords import Passwords
from carrel.server.settings import Settings
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database

SECRET = "0123456789abcdef0123456789abcdef"
PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[AccountStore]:
    database = await Database.open(tmp_path / "carrel.db")
    yield AccountStore(database)
    await database.close()


async def test_a_private_server_makes_its_secret_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    secret = await signing_secret(settings)
    assert len(secret.get_secret_value()) >= 32
    assert await signing_secret(settings) == secret
    assert stat.S_IMODE(secret_file(settings).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret"]


async def test_two_private_servers_have_different_secrets(tmp_path: Path) -> None:
    one, other = Settings(data_dir=tmp_path / "one"), Settings(data_dir=tmp_path / "other")
    assert await signing_secret(one) != await signing_secret(other)


async def test_a_given_secret_is_used_and_none_is_made(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new", secret=SecretStr(SECRET))
    assert (await signing_secret(settings)).get_secret_value() == SECRET
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("change", [{"environment": "production"}, {"host": "0.0.0.0"}], ids=str)
async def test_a_guarded_server_needs_a_secret(tmp_path: Path, change: dict[str, str]) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, **change})
    with pytest.raises(SettingsError, match="CARREL_SECRET: is missing.*openssl rand -hex 32"):
        await signing_secret(settings)
    assert not secret_file(settings).exists()


@pytest.mark.parametrize("content", [b"short", b"\xff" * 40])
async def test_a_broken_secret_file_is_said(tmp_path: Path, content: bytes) -> None:
    settings = Settings(data_dir=tmp_path)
    secret_file(settings).write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        await signing_secret(settings)
    assert str(secret_file(settings)) in str(caught.value)


async def test_an_impossible_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="choose a directory"):
        await signing_secret(Settings(data_dir=tmp_path / "file" / "below"))


async def test_the_first_start_makes_a_demo_user_whose_password_works(accounts: AccountStore) -> None:
    login = await demo_login(Settings(), accounts, PASSWORDS)
    assert login is not None
    account = await accounts.by_name("demo")
    assert account is not None
    assert account.demo
    assert account.permissions == {"usage:read", "usage:write"}
    assert await PASSWORDS.verify(account.password_hash, login.password)
    assert await demo_login(Settings(), accounts, PASSWORDS) is None


async def test_no_demo_user_beside_others_or_when_not_wanted(accounts: AccountStore) -> None:
    assert await demo_login(Settings(demo_user=False), accounts, PASSWORDS) is None
    await accounts.create("ann", "hash", [])
    assert await demo_login(Settings(), accounts, PASSWORDS) is None


@pytest.mark.parametrize("change", [{"environment": "production"}, {"host": "0.0.0.0"}], ids=str)
async def test_a_guarded_server_refuses_demo_users_until_they_are_disabled(
    accounts: AccountStore, change: dict[str, str]
) -> None:
    settings = Settings.model_validate(change)
    assert await demo_login(settings, accounts, PASSWORDS) is None
    assert await accounts.list_accounts() == []
    demo = await accounts.create("demo", "hash", [], demo=True)
    with pytest.raises(SettingsError, match="carrel user disable demo, then carrel user add NAME"):
        await demo_login(settings, accounts, PASSWORDS)
    await accounts.set_disabled(demo.user_id, True)
    assert await demo_login(settings, accounts, PASSWORDS) is None
