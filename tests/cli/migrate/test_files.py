"""Tests of carrel.cli.migrate.files."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.cli.migrate.files import deliver_file
from carrel.errors import MigrationError


def test_a_file_is_shown_written_or_removed(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"x\n")
    deliver_file(tmp_path, "a.py", b"x\n", b"y\n", write=False)
    assert b"-x\n+y\n" in capfdbinary.readouterr().out
    assert file.read_bytes() == b"x\n"
    deliver_file(tmp_path, "a.py", b"x\n", b"y\n", write=True)
    assert file.read_bytes() == b"y\n"
    deliver_file(tmp_path, "a.py", b"y\n", None, write=True)
    assert not file.exists()


def test_a_file_that_somebody_changed_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"mine\n")
    with pytest.raises(MigrationError, match="changed meanwhile"):
        deliver_file(tmp_path, "a.py", b"x\n", None, write=True)
    assert (tmp_path / "a.py").read_bytes() == b"mine\n"


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"x\n")
    file.chmod(0o444)
    with pytest.raises(MigrationError, match="is read-only"):
        deliver_file(tmp_path, "a.py", b"x\n", b"y\n", write=True)
