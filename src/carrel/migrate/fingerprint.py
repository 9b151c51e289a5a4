"""What names the content of files, byte for byte: so that "as before" can be proved without trusting git or a cache."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

__all__ = ["content_digest", "differences", "file_digest", "fingerprint", "manifest"]


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
    found = {}
    for path in sorted(paths):
        full = f"{root}/{path}"
        try:
            mode = os.lstat(full).st_mode
            if stat.S_ISLNK(mode):
                found[path] = f"link {content_digest(os.fsencode(os.readlink(full)))}"  # noqa: PTH115
            elif stat.S_ISREG(mode):
                with open(full, "rb") as file:  # noqa: PTH123
                    found[path] = f"{stat.S_IMODE(mode):o} {content_digest(file.read())}"
        except FileNotFoundError:
            continue
    return found


def fingerprint(files: Mapping[str, str]) -> str:
    """One name for a whole manifest: 32 hexadecimal digits."""
    whole = blake2b(digest_size=16)
    for path, text in sorted(files.items()):
        whole.update(os.fsencode(f"{path}\0{text}\0"))
    return whole.hexdigest()


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The paths that are not the same in both."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))
