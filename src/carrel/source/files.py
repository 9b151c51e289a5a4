"""The files of a code base: which there are, and what is in them."""

from __future__ import annotations

import fnmatch
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from carrel.errors import SourceError

if TYPE_CHECKING:
    import pathspec

__all__ = ["SourceFile", "SourceTree"]

SUFFIXES: Final = (".py", ".pyi")
SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
"""Directories that hold other people's code, or none."""


@dataclass(frozen=True, slots=True, order=True)
class SourceFile:
    """One file of a tree; `path` is relative to its root, with `/`."""

    path: str
    size: int
    """Bytes."""
    modified_ns: int

    @property
    def is_python(self) -> bool:
        return self.path.endswith(SUFFIXES)


class SourceTree:
    """The files under one directory that belong to the code base, in the order of their paths.

    In a git repository: what git tracks or would track, so that `.gitignore` counts. Elsewhere every file outside of
    hidden directories, less what `.gitignore` files say. Never what is under a directory of `SKIPPED`. Symbolic links
    to files are read under their own name only when they stay inside the root; links to directories are not followed.
    `exclude` holds patterns for
    paths (`tests/data/*`, `migrations`), each matched against the whole path and every directory above it.

    Raises `SourceError` when the directory does not exist.
    """

    def __init__(self, root: str | Path, *, exclude: Iterable[str] = ()) -> None:
        self.root = Path(root).resolve()
        self.exclude = tuple(pattern.strip("/") for pattern in exclude)
        if not self.root.is_dir():
            raise SourceError(0, f"{root} is not a directory")

    def files(self, *, suffixes: tuple[str, ...] = SUFFIXES) -> list[SourceFile]:
        """The files whose names end in `suffixes`, each with its size and time; all files for `("",)`."""
        found = []
        for path in self._paths(suffixes):
            file = self._stat(path)
            if file is not None:
                found.append(file)
        found.sort()
        return found

    def read(self, path: str) -> bytes:
        """The bytes of one file; raises `SourceError` when it cannot be read."""
        try:
            with open(f"{self.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - fast over 9,000 files
                return file.read()
        except OSError as error:
            raise SourceError(0, f"cannot be read: {error.strerror}") from None

    def takes(self, path: str) -> bool:
        """Whether a path belongs to the code base, were it there."""
        return not SKIPPED.intersection(path.split("/")) and not self._excluded(path)

    def _stat(self, path: str) -> SourceFile | None:
        full = f"{self.root}/{path}"
        try:
            stat = os.stat(full, follow_symlinks=False)  # noqa: PTH116
            if stat.st_mode & 0o170000 == 0o120000:
                if not Path(full).resolve().is_relative_to(self.root):
                    return None
                stat = os.stat(full)  # noqa: PTH116
        except OSError:
            return None
        # A pipe or a device would be waited for.
        return SourceFile(path, stat.st_size, stat.st_mtime_ns) if stat.st_mode & 0o170000 == 0o100000 else None

    def _paths(self, suffixes: tuple[str, ...]) -> Iterator[str]:
        listed = _git_files(self.root)
        for path in listed if listed is not None else _walk(self.root):
            if path.endswith(suffixes) and self.takes(path):
                yield path

    def _excluded(self, path: str) -> bool:
        if not self.exclude:
            return False
        tried = (path, *(str(parent) for parent in PurePosixPath(path).parents))
        return any(
            fnmatch.fnmatchcase(one, pattern) or fnmatch.fnmatchcase(one.rpartition("/")[2], pattern)
            for one in tried
            for pattern in self.exclude
        )


def digest(data: bytes, owner: bytes = b"") -> bytes:
    """What names the content of a file in the index, together with whose it is: 16 bytes."""
    found = blake2b(owner, digest_size=16)
    found.update(b"\0")
    found.update(data)
    return found.digest()


def _git_files(root: Path) -> Sequence[str] | None:
    """What git tracks or would track under `root`; `None` where git cannot tell."""
    command = ("git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        result = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    except OSError:
        return None
    # Nothing at all: the directory itself is ignored, and yet it was asked for.
    if result.returncode != 0 or not result.stdout:
        return None
    # A path that is not UTF-8 keeps its bytes, as everywhere in Python.
    return [os.fsdecode(path) for path in dict.fromkeys(result.stdout.split(b"\0")) if path]


def _walk(root: Path) -> Iterator[str]:

    pending: list[tuple[str, tuple[tuple[str, pathspec.GitIgnoreSpec], ...]]] = [("", ())]
    while pending:
        prefix, rules = pending.pop()
        try:
            entries = list(os.scandir(root / prefix))
        except OSError:
            continue
        if any(entry.name == ".gitignore" for entry in entries):
            rules = (*rules, (prefix, _ignore_rules(root / prefix / ".gitignore")))
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                hidden = entry.name.startswith(".") or entry.name in SKIPPED
                if not hidden and not _ignored(f"{path}/", rules):
                    pending.append((f"{path}/", rules))
            elif not _ignored(path, rules):
                yield path


def _ignore_rules(path: Path) -> pathspec.GitIgnoreSpec:
    import pathspec

    try:
        return pathspec.GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except (OSError, ValueError):
        return pathspec.GitIgnoreSpec([])


def _ignored(path: str, rules: Sequence[tuple[str, pathspec.GitIgnoreSpec]]) -> bool:
    return any(spec.match_file(path[len(prefix) :]) for prefix, spec in rules)
