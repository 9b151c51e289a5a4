"""One process at a time has a log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from carrel.errors import StorageError
from carrel.storage import log_owner
from carrel.storage.log_owner import LogOwner


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_owner, "_HANDOVER_SECONDS", 0.0)


def test_a_second_owner_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    first = LogOwner.take(path)
    with pytest.raises(StorageError, match=r"another carrel process.*stop it or choose another data directory"):
        LogOwner.take(path)
    first.release()
    LogOwner.take(path).release()


def test_two_databases_in_one_directory_have_two_owners(tmp_path: Path) -> None:
    first, second = LogOwner.take(tmp_path / "one.db"), LogOwner.take(tmp_path / "two.db")
    first.release()
    second.release()


def test_the_log_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    code = (
        "import sys, pathlib; from carrel.storage.log_owner import LogOwner; "
        "owner = LogOwner.take(pathlib.Path(sys.argv[1])); print('mine', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"mine\n"
        with pytest.raises(StorageError, match="another carrel process"):
            LogOwner.take(path)
        process.kill()
    LogOwner.take(path).release()


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing/carrel\.db\.lock cannot be opened"):
        LogOwner.take(tmp_path / "missing" / "carrel.db")
