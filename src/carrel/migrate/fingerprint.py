"""What names the content of files, byte for byte: so that "as before" can be proved without trusting git or a cache."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

__all__ = ["Manifests", "content_digest", "differences", "file_digest", "fingerprint", "manifest"]


def content_digest(data: bytes) -> str:
    """What names the bytes of one file: 32 hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


def file_digest(path: Path) -> str | None:
    """The digest of a regular file's bytes; `None` when there is no such file. A symbolic link is none."""
    try:
        with path.open("rb") as file:
            return None if path.is_symlink() else content_digest(file.read())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def manifest(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Each path that exists with a text for its type, mode and content; a symbolic link's content is its target."""
    texts = ((path, _text(f"{root}/{path}")) for path in sorted(paths))
    return {path: text for path, text in texts if text}


class Manifests:
    """Makes manifests of the directory `root` again and again, and reads again only what may have changed.

    That is what has another size, inode, time of change, or time of change of its state, which no program can set. The
    last must have been `patience_ns` ago when a file was read: a change in the same tick of the clock would not show.
    """

    def __init__(self, root: Path, *, patience_ns: int = 2_000_000_000) -> None:
        self._root = root
        self._patience_ns = patience_ns
        self._known: dict[str, tuple[_State, str]] = {}
        self.read_count = 0
        """Files that were read the last time."""

    def read(self, paths: Iterable[str], *, anew: bool = False) -> dict[str, str]:
        """What `manifest` gives; with `anew`, every file is read."""
        known, self._known = ({}, {}) if anew else (self._known, {})
        settled = time.time_ns() - self._patience_ns
        self.read_count = 0
        found = {}
        for path in sorted(paths):
            full = f"{self._root}/{path}"
            state = _state(full)
            before = known.get(path)
            if before is not None and before[0] == state:
                text = before[1]
            else:
                text = _text(full)
                self.read_count += 1
            if text:
                found[path] = text
                if state is not None and state.changed_ns < settled:
                    self._known[path] = state, text
        return found


class _State(NamedTuple):
    mode: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def _state(path: str) -> _State | None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return _State(found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _text(path: str) -> str:
    """What a manifest says of a file; empty when there is none, and for what is neither file nor link."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return f"link {content_digest(os.fsencode(os.readlink(path)))}"  # noqa: PTH115
        if stat.S_ISREG(mode):
            with open(path, "rb") as file:  # noqa: PTH123
                return f"{stat.S_IMODE(mode):o} {content_digest(file.read())}"
    except FileNotFoundError:
        pass
    return ""


def fingerprint(files: Mapping[str, str]) -> str:
    """One name for a whole manifest: 32 hexadecimal digits."""
    whole = blake2b(digest_size=16)
    for path, text in sorted(files.items()):
        whole.update(os.fsencode(f"{path}\0{text}\0"))
    return whole.hexdigest()


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The paths that are not the same in both."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))
