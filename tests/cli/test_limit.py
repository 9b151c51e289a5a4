"""`carrel user limit`: shown, changed, taken back, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import CarrelError
from carrel.runtime.limits import USER_LIMITS
from tests.cli.conftest import Run

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def users(run: Run) -> None:
    for name in ("ann", "bob"):
        assert run("user", "add", name, input=PASSWORD).exit_code == 0


def shown(run: Run, *arguments: str) -> dict[str, tuple[str, str]]:
    ended = run("user", "limit", *arguments)
    assert ended.exit_code == 0, ended.output
    rows = [line.split("\t") for line in ended.stdout.splitlines()]
    return {name: (value, source) for name, value, source in rows}


def test_every_limit_is_shown_with_whom_it_is_set_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_QUEUED_RUNS", "7")
    limits = shown(run, "ann")
    assert tuple(limits) == USER_LIMITS
    assert limits["queued_runs"] == ("7", "everybody")
    assert limits["run_seconds"] == ("600", "everybody")
    assert limits["stored_bytes"] == ("1073741824", "everybody")


def test_a_limit_is_changed_for_one_user_and_taken_back(run: Run) -> None:
    changed = shown(run, "ann", "queued_runs=5", "run_seconds=2.5")
    assert (changed["queued_runs"], changed["run_seconds"]) == (("5", "this user"), ("2.5", "this user"))
    assert shown(run, "ANN") == changed
    assert shown(run, "bob")["queued_runs"] == ("1000", "everybody")
    back = shown(run, "ann", "queued_runs=default")
    assert (back["queued_runs"], back["run_seconds"]) == (("1000", "everybody"), ("2.5", "this user"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("queued_runs", "queued_runs: says no value"),
        ("queued_runs=", "queued_runs: must be a number or default"),
        ("queued_runs=many", "queued_runs: must be a number or default"),
        ("queued_runs=true", "queued_runs: must be a number or default"),
        ("queued_runs=0", "queued_runs: must be more than 0 and at most 100000"),
        ("queued_runs=-5", "queued_runs: must be more than 0"),
        ("queued_runs=nan", "queued_runs: must be a whole number"),
        ("queued_runs=2.5", "queued_runs: must be a whole number"),
        ("queued_runs=1000000000000000000000", "queued_runs: must be more than 0 and at most"),
        ("run_seconds=nan", "run_seconds: must be more than 0"),
        ("run_seconds=inf", "run_seconds: must be more than 0"),
        ("slots=5", "slots: is no limit of a user; there are: concurrent_runs"),
        ("colour=5", "colour: is no limit of a user"),
    ],
)
def test_what_is_no_limit_is_named_and_changes_nothing(run: Run, change: str, said: str) -> None:
    ended = run("user", "limit", "ann", "concurrent_runs=2", change)
    assert isinstance(ended.exception, CarrelError)
    assert said in str(ended.exception)
    assert all(source == "everybody" for _, source in shown(run, "ann").values())


def test_somebody_who_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    ended = run("user", "limit", "eve", "queued_runs=5")
    assert isinstance(ended.exception, CarrelError)
    assert "there is no user 'eve'" in str(ended.exception)
