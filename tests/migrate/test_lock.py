"""One migration at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.lock import locked


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "state" / "lock"),
        pytest.raises(MigrationError, match=rf"\(process {os.getpid()}\); wait for it"),
        locked(tmp_path / "state" / "lock", patience=0),
    ):
        pytest.fail("two holders")


def test_it_is_free_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "lock", patience=0):
            pass


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        with locked(tmp_path / "lock"):
            os.write(writer, b"x")
            signal.pause()
    assert os.read(reader, 1) == b"x"
    with pytest.raises(MigrationError, match=rf"process {child}"), locked(tmp_path / "lock", patience=0):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with locked(tmp_path / "lock", patience=0):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_worker_that_outlives_its_carrel_does_not_hold_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with locked(tmp_path / "lock"):
        worker = os.fork()
        if not worker:
            os.write(writer, b"x")
            signal.pause()
        assert os.read(reader, 1) == b"x"
    try:
        with locked(tmp_path / "lock", patience=0):
            pass
    finally:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)


def test_a_git_that_outlives_its_carrel_holds_it_still(tmp_path: Path) -> None:
    with locked(tmp_path / "lock") as descriptor:
        waiting = subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE, pass_fds=(descriptor,))
    with pytest.raises(MigrationError), locked(tmp_path / "lock", patience=0):
        pass
    waiting.communicate(b"\n")
    with locked(tmp_path / "lock", patience=0):
        pass
