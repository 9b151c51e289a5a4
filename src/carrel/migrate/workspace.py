"""Where the phases of a migration are carried out: what a git worktree and the checkout itself have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from carrel.migrate.outcome import Edited

__all__ = ["Mark", "Proof", "Workspace"]


class Mark(msgspec.Struct, frozen=True):
    """A state of the code base that can be brought back."""

    at: str
    """The commit, or the number of backups taken so far."""
    fingerprint: str
    """Names the path, type, mode and bytes of every file."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """That the code base is as it was.

    When something was taken back every file was read anew for it; otherwise only what may have changed since.
    """

    files: int
    fingerprint: str
    """Of what is there now; it was compared with the one taken before."""
    tree: str = ""
    """The tree of the commit, in a worktree."""
    restored: tuple[str, ...] = ()
    """The files that had to be put back."""
    foreign: tuple[str, ...] = ()
    """Files that differ and that the migration has never written: a gate command or a person did. Left as they are."""
    kept: str = ""
    """The git reference under which the commits that were taken back can still be found."""
    saved: str = ""
    """Where changes that were not the migration's are kept, when there were any in the way."""
    seconds: float = 0.0


class Workspace(Protocol):
    """A code base that phases are applied to and taken back from."""

    @property
    def root(self) -> Path:
        """The directory that is scanned, edited and tested."""

    def check_clean(self) -> None:
        """Raise `DirtyWorktreeError` when something here would be lost or mixed up with a phase."""

    def mark(self) -> Mark:
        """The state as it is."""

    def check_writable(self, files: Sequence[Edited]) -> None:
        """Raise `MigrationError` when one of the files cannot be written; nothing has been written then."""

    def write(self, files: Sequence[Edited]) -> None:
        """Put the new bytes in the place of the old ones. Raises `OSError` in the middle, or `MigrationError`."""

    def record(self, message: str, when: int, files: Sequence[Edited]) -> Mark:
        """Keep what was written as one unit; the same call gives the same result. `when` is in seconds since 1970."""

    def restore(self, mark: Mark, *, ours: Mapping[str, str] = ..., reread: bool = True) -> Proof:
        """Bring a state back and prove it; may be called again after a kill at any point.

        `ours` are files that a phase was writing, each with the digest of its new bytes. What is in the way and not
        the migration's is set aside. Without `reread`, a file counts as known whose size and times are those of when
        this workspace read it: enough to tell what a gate command has changed.
        """

    def check_untouched(self, mark: Mark) -> None:
        """Raise `DirtyWorktreeError` when `restore` would put something in the place of what is not the migration's."""

    def check_reversible(self, applied: Sequence[Mark]) -> None:
        """Raise `RollbackError` when the phases that ended with these marks cannot be taken back from here."""

    def discard(self) -> str:
        """Remove what the workspace itself has made: the last step of taking everything back.

        Gives the directory where files are kept that were not the migration's; empty when there were none.
        """
