"""What names the content of files."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from carrel.migrate.fingerprint import Manifests, content_digest, differences, file_digest, fingerprint, manifest
from tests.migrate.project import write

PATHS = ("a.py", "b.py", "link", "gone.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, {"a.py": "x", "b.py": "y"})
    (tmp_path / "link").symlink_to("a.py")
    return tmp_path


def relink(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("b.py")


def unlink(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").write_text("x")


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "a.py").write_text("z"),
        lambda root: (root / "a.py").chmod(0o755),
        lambda root: (root / "a.py").unlink(),
        lambda root: (root / "gone.py").write_text(""),
        relink,
        unlink,
    ],
    ids=["bytes", "mode", "deleted", "made", "link", "file for link"],
)
def test_every_change_changes_it(root: Path, change: Callable[[Path], object]) -> None:
    before = manifest(root, PATHS)
    change(root)
    after = manifest(root, PATHS)
    assert fingerprint(before) != fingerprint(after)
    assert len(differences(before, after)) == 1


def change_quietly(root: Path) -> None:
    """Other bytes, with the size and the time of change that were there before."""
    state = (root / "a.py").stat()
    (root / "a.py").write_text("z")
    os.utime(root / "a.py", ns=(state.st_atime_ns, state.st_mtime_ns))


def replace_quietly(root: Path) -> None:
    shutil.copy2(root / "a.py", root / "fresh")
    change_quietly(root)
    shutil.copystat(root / "fresh", root / "a.py")


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "a.py").write_text("z"),
        lambda root: (root / "a.py").chmod(0o755),
        lambda root: (root / "a.py").unlink(),
        lambda root: (root / "gone.py").write_text(""),
        relink,
        unlink,
        change_quietly,
        replace_quietly,
    ],
    ids=["bytes", "mode", "deleted", "made", "link", "file for link", "size and time kept", "copied"],
)
def test_what_is_not_read_again_is_what_reading_again_finds(root: Path, change: Callable[[Path], object]) -> None:
    kept = Manifests(root, patience_ns=0)
    for _ in range(2):
        time.sleep(0.02)  # what was written in this tick of the clock is read once more
        assert kept.read(PATHS) == manifest(root, PATHS)
    assert kept.read_count == 1  # the one that is not there
    change(root)
    assert kept.read(PATHS) == manifest(root, PATHS)
    assert kept.read_count in (1, 2)
    assert kept.read(PATHS, anew=True) == manifest(root, PATHS)
    assert kept.read_count == 4


def test_what_has_just_been_written_is_read_again(root: Path) -> None:
    kept = Manifests(root)
    kept.read(PATHS)
    assert kept.read(PATHS) == manifest(root, PATHS)
    assert kept.read_count == 4


def test_times_and_order_do_not_count(root: Path) -> None:
    before = fingerprint(manifest(root, PATHS))
    os.utime(root / "a.py", (1, 1))
    assert fingerprint(manifest(root, reversed(PATHS))) == before
    assert list(manifest(root, PATHS)) == ["a.py", "b.py", "link"]


def test_a_file_has_a_digest_and_anything_else_has_none(root: Path) -> None:
    assert file_digest(root / "a.py") == content_digest(b"x")
    assert [file_digest(root / name) for name in ("link", "gone.py", ".", "a.py/x")] == [None] * 4


def test_names_that_are_not_utf8_are_read(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.py")).write_text("x")
    assert len(fingerprint(manifest(tmp_path, [os.fsdecode(b"\xff.py")]))) == 32
