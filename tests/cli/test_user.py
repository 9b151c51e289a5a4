"""`carrel user`: adding, listing, disabling, enabling, passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from carrel.errors import CarrelError
from carrel.server.passwords import Passwords
from carrel.storage.accounts import Account, AccountStore
from carrel.storage.database import Database
from tests.cli.conftest import Run

PASSWORD = "correct horse"


def accounts(directory: Path) -> dict[str, Account]:
    async def read() -> Sequence[Account]:
        database = await Database.open(directory / "share" / "carrel" / "carrel.db")
        try:
            return await AccountStore(database).list_accounts()
        finally:
            await database.close()

    return {account.name: account for account in asyncio.run(read())}


def matches(account: Account, password: str) -> bool:
    return asyncio.run(Passwords().verify(account.password_hash, password))


def test_a_user_is_added_with_a_password_from_standard_input(run: Run, tmp_path: Path) -> None:
    for arguments in (("ann",), ("bob", "--password-stdin")):
        ended = run("user", "add", *arguments, input=f"{PASSWORD}\r\nmore")
        assert ended.exit_code == 0, ended.output
        assert PASSWORD not in ended.output
    found = accounts(tmp_path)
    assert matches(found["ann"], PASSWORD)
    assert matches(found["bob"], PASSWORD)
    assert found["ann"].permissions == {"usage:read", "usage:write"}
    assert not found["ann"].demo


def test_permissions_are_those_given(run: Run, tmp_path: Path) -> None:
    run("user", "add", "ann", "--permission", "a:read", "--permission", "b:write", input=PASSWORD)
    assert accounts(tmp_path)["ann"].permissions == {"a:read", "b:write"}


def test_default_permissions_are_a_setting(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_DEFAULT_PERMISSIONS", "x:y")
    run("user", "add", "ann", input=PASSWORD)
    assert accounts(tmp_path)["ann"].permissions == {"x:y"}


def test_a_generated_password_is_shown_and_works(run: Run, tmp_path: Path) -> None:
    ended = run("user", "add", "ann", "--generate")
    password = ended.stdout.splitlines()[-1].removeprefix("Password: ")
    assert len(password) >= 16
    assert matches(accounts(tmp_path)["ann"], password)


@pytest.mark.parametrize(
    ("arguments", "input", "said"),
    [
        (("ann",), "short\n", "8 to 1024 characters"),
        (("ann",), "", "8 to 1024 characters"),
        (("ann", "--generate", "--password-stdin"), PASSWORD, "--generate"),
        ((" ann",), PASSWORD, "name: must be printable"),
        (("",), PASSWORD, "name: must be printable"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_and_nobody_is_added(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], input: str, said: str
) -> None:
    ended = run("user", "add", *arguments, input=input)
    assert isinstance(ended.exception, CarrelError)
    assert said in str(ended.exception)
    assert accounts(tmp_path) == {}


def test_a_name_is_taken_whatever_its_case(run: Run) -> None:
    run("user", "add", "ann", input=PASSWORD)
    ended = run("user", "add", "Ann", input=PASSWORD)
    assert "already named" in str(ended.exception)


def test_users_are_listed_for_scripts(run: Run) -> None:
    assert run("user", "list").output == ""
    run("user", "add", "bob", "--generate", "--permission", "*")
    run("user", "add", "ann", "--generate")
    run("user", "disable", "bob")
    rows = [line.split("\t") for line in run("user", "list").stdout.splitlines()]
    assert [row[:3] for row in rows] == [["ann", "active", "usage:read usage:write"], ["bob", "disabled", "*"]]
    assert all(len(row[3]) == len("2026-11-20") for row in rows)


def test_disabling_and_enabling(run: Run, tmp_path: Path) -> None:
    run("user", "add", "ann", "--generate")
    assert run("user", "disable", "ann").exit_code == 0
    assert accounts(tmp_path)["ann"].disabled
    assert run("user", "enable", "ANN").exit_code == 0
    assert not accounts(tmp_path)["ann"].disabled


def test_a_new_password_replaces_the_old_one(run: Run, tmp_path: Path) -> None:
    run("user", "add", "ann", input=PASSWORD)
    assert run("user", "passwd", "ann", input="another password").exit_code == 0
    assert matches(accounts(tmp_path)["ann"], "another password")
    assert not matches(accounts(tmp_path)["ann"], PASSWORD)
    shown = run("user", "passwd", "ann", "--generate").stdout.splitlines()[-1]
    assert matches(accounts(tmp_path)["ann"], shown.removeprefix("Password: "))


@pytest.mark.parametrize("command", ["disable", "enable", "passwd"])
def test_nobody_of_that_name_is_said(run: Run, command: str) -> None:
    ended = run("user", command, "nobody", input=PASSWORD)
    assert str(ended.exception) == "NAME: there is no user 'nobody'; carrel user list shows them"


def test_the_data_directory_is_an_option(run: Run, tmp_path: Path) -> None:
    run("user", "add", "ann", "--generate", "--data-dir", "here")
    assert (tmp_path / "here" / "carrel.db").exists()
    assert run("user", "list", "--data-dir", "here").stdout.startswith("ann\t")
    assert run("user", "list").stdout == ""
