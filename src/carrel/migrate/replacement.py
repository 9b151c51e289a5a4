"""Puts bytes in the place of a file so that a kill at any point leaves the old ones or the new ones."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from carrel.errors import MigrationError

__all__ = ["check_space", "remove_leftover", "replace_bytes", "set_aside", "sync_directory", "unwritable"]

_SLACK: Final = 1 << 20
"""Bytes to keep free beside what is written: for the journal and for directories."""


def replace_bytes(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Replace a file's bytes; its permissions stay, or become `mode`.

    The new bytes are on disk before the old ones are gone. A file with several hard links is written in its place, so
    that the others see it too.
    """
    try:
        before = path.lstat()
    except FileNotFoundError:
        before = None
    kept = mode if mode is not None else stat.S_IMODE(before.st_mode) if before else 0o644
    if before is not None and before.st_nlink > 1:
        _write(path, data, kept)
        return
    fresh = _leftover(path)
    try:
        _write(fresh, data, kept)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def remove_leftover(path: Path) -> None:
    """Remove what a killed `replace_bytes` of this path has left beside it."""
    _leftover(path).unlink(missing_ok=True)


def unwritable(path: Path) -> str:
    """Why a file cannot be replaced; empty when it can.

    A read-only file could be replaced, since only its directory counts; somebody has made it read-only for a reason.
    """
    if path.is_symlink():
        return "is a symbolic link"
    try:
        found = path.stat()
    except OSError as error:
        return f"cannot be reached ({error.strerror})"
    if not stat.S_ISREG(found.st_mode):
        return "is no regular file"
    if not found.st_mode & 0o222:
        return "is read-only"
    if not os.access(path.parent, os.W_OK):
        return "is in a read-only directory"
    return ""


def check_space(directory: Path, needed: int) -> None:
    """Raise `MigrationError` when `needed` bytes, and a little more, do not fit on the disk that holds `directory`."""
    free = shutil.disk_usage(directory).free
    if free < needed + _SLACK:
        raise MigrationError(
            f"{directory} has {free:,} bytes free and {needed + _SLACK:,} are needed; "
            "free some space and give the same command again"
        )


def set_aside(files: Mapping[str, Path], into: Path) -> str:
    """Copy files that are about to be replaced into a new directory under `into`; gives it, or nothing for no files."""
    if not files:
        return ""
    number = sum(1 for _ in into.iterdir()) if into.is_dir() else 0
    place = into / str(number + 1)
    for path, file in files.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.is_symlink():
            target.symlink_to(file.readlink())
        elif file.is_file():
            shutil.copy2(file, target)
    return str(place)


def sync_directory(directory: Path) -> None:
    """Have the names in a directory on disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _leftover(path: Path) -> Path:
    # Always the same name, so that what a kill leaves is found again.
    return path.with_name(f".{path.name}.carrel")


def _write(path: Path, data: bytes, mode: int) -> None:
    with path.open("wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
