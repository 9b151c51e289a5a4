"""Old bytes or new bytes, never a mixture."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.replacement import check_space, remove_leftover, replace_bytes, set_aside, unwritable


def test_bytes_are_replaced_and_permissions_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"old")
    file.chmod(0o741)
    replace_bytes(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o741)
    replace_bytes(file, b"newer", mode=0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]


def test_a_new_file_is_made(tmp_path: Path) -> None:
    replace_bytes(tmp_path / "a.py", b"new")
    assert (tmp_path / "a.py").read_bytes() == b"new"


def test_somebody_who_reads_meanwhile_has_the_whole_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"old")
    with file.open("rb") as reader:
        replace_bytes(file, b"new")
        assert reader.read() == b"old"


def test_nothing_is_left_when_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.py").mkdir()
    (tmp_path / "a.py" / "inside").touch()
    with pytest.raises(OSError, match="directory"):
        replace_bytes(tmp_path / "a.py", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]


def test_what_a_kill_has_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".a.py.carrel").touch()
    remove_leftover(tmp_path / "a.py")
    remove_leftover(tmp_path / "a.py")
    assert list(tmp_path.iterdir()) == []


def test_why_a_file_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.py"
    file.touch()
    assert unwritable(file) == ""
    (tmp_path / "link").symlink_to("a.py")
    assert unwritable(tmp_path / "link") == "is a symbolic link"
    assert unwritable(tmp_path) == "is no regular file"
    assert unwritable(tmp_path / "gone") == "cannot be reached (No such file or directory)"
    file.chmod(0o444)
    assert unwritable(file) == "is read-only"
    file.chmod(0o644)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert unwritable(file) == "is in a read-only directory"


def test_room_is_asked_for_before_it_is_needed(tmp_path: Path) -> None:
    check_space(tmp_path, 0)
    with pytest.raises(MigrationError, match="free some space"):
        check_space(tmp_path, 1 << 60)


def test_files_are_set_aside_each_time_in_a_new_place(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("a.py")
    into = tmp_path / "aside"
    assert set_aside({}, into) == ""
    assert not into.exists()
    first = set_aside({"pkg/a.py": tmp_path / "a.py", "link": tmp_path / "link"}, into)
    second = set_aside({"pkg/a.py": tmp_path / "a.py"}, into)
    assert first != second
    assert (Path(first) / "pkg" / "a.py").read_bytes() == (Path(second) / "pkg" / "a.py").read_bytes() == b"mine"
    assert (Path(first) / "link").is_symlink()
