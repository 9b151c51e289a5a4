"""Shows, or writes, the files that a command has made new bytes for."""

from __future__ import annotations

import sys
from pathlib import Path

from carrel.cli.output import say
from carrel.errors import MigrationError

__all__ = ["deliver_file"]


def deliver_file(root: Path, path: str, before: bytes, after: bytes | None, *, write: bool) -> None:
    """Show the difference of one file, or write its new bytes; `after=None` removes it.

    Raises `MigrationError` when it cannot be written, or was changed meanwhile.
    """
    from carrel.migrate.diff import unified_diff
    from carrel.migrate.replacement import replace_bytes, unwritable

    if not write:
        sys.stdout.flush()
        sys.stdout.buffer.write(unified_diff(path, before, after or b""))
        return
    file = root / path
    problem = unwritable(file)
    if problem:
        raise MigrationError(f"{path} {problem}; nothing of it was written")
    if file.read_bytes() != before:
        raise MigrationError(f"{path} was changed meanwhile; give the same command again")
    try:
        if after is None:
            file.unlink()
        else:
            replace_bytes(file, after)
    except OSError as error:
        raise MigrationError(f"{path} cannot be written: {error.strerror or error}; it is as it was before") from None
    say(f"{path}: {'removed' if after is None else 'written'}")
