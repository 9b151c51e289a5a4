"""The outlines of a code base, read anew only where files have changed, whichever step asks for them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from carrel.source import Index, Outline, SourceTree, read_outline

__all__ = ["CACHE", "read_outlines", "take_along"]

CACHE: Final = ".carrel"
"""The directory under the root that what was read is kept in."""
_VERSION: Final = "outlines-3"
"""Another number reads every file anew."""


def read_outlines(
    tree: SourceTree, *, jobs: int = 0, cache: bool = True, progress: Callable[[int, int], None] | None = None
) -> dict[str, Outline]:
    """The outline of every Python file of a tree, by path; with `cache` they are kept under its root."""
    directory = tree.root / CACHE if cache else None
    return Index(tree, _read, Outline, version=_VERSION, directory=directory, jobs=jobs).facts(tree.files(), progress)


def take_along(known: Path, place: Path) -> None:
    """Copy what is kept of one tree to another one that has mostly the same files, so that these are not read again."""
    if known.is_dir() and not place.exists():
        with contextlib.suppress(OSError):
            place.mkdir(parents=True)
            for file in known.iterdir():
                if file.is_file():
                    shutil.copy2(file, place / file.name)


def _read(_path: str, data: bytes) -> Outline:
    return read_outline(data)
