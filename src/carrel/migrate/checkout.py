"""The directory that the user works in: its repository, if it has one, and where a migration keeps its state."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from carrel.errors import DirtyWorktreeError, MigrationError
from carrel.migrate.git import Git
from carrel.migrate.journal import Journal

__all__ = ["Checkout", "slug"]

_ADVICE: Final = (
    "the branch would begin at the last commit and miss them: commit them, stash them (git stash -u), "
    "or have git ignore them"
)
_JOURNAL: Final = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Checkout:
    """`root` as the user named it, and what there is around it."""

    root: Path
    git: Git | None
    """Runs at the top of the repository; `None` where there is none."""
    top: Path
    prefix: str
    """From the top to the root, empty or ending in `/`."""
    state: Path
    """Where the state of every recipe is kept: in the repository's own directory, or in `.carrel` without git."""

    @classmethod
    def of(cls, root: Path) -> Checkout:
        """Raises `MigrationError` when the directory does not exist, or git refuses to look into it."""
        root = root.resolve()
        if not root.is_dir():
            raise MigrationError(f"{root} is not a directory; give one with --root")
        git = Git(root)
        try:
            top = Path(git.line("rev-parse", "--show-toplevel"))
        except MigrationError as error:
            if "not a git repository" in str(error) or "is not installed" in str(error):
                return cls(root, None, root, "", root / ".carrel" / "migrate")
            raise
        common = Path(git.line("rev-parse", "--path-format=absolute", "--git-common-dir"))
        prefix = "" if top == root else f"{root.relative_to(top)}/"
        return cls(root, git.at(top), top, prefix, common / "carrel")

    def holding(self, descriptor: int) -> Checkout:
        """The same, with each git holding the lock, too."""
        return replace(self, git=self.git and Git(self.git.directory, held=(descriptor,)))

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    def directory(self, recipe: str) -> Path:
        """Where the state of one recipe is kept."""
        return self.state / slug(recipe)

    def journal(self, recipe: str) -> Journal:
        return Journal(self.directory(recipe) / _JOURNAL)

    def base(self) -> str:
        """The commit to begin at; raises `MigrationError` without one, `DirtyWorktreeError` when it lacks changes."""
        git = self.git
        if git is None:
            raise MigrationError(
                f"{self.root} is not in a git repository; give --in-place, which keeps backups of its own, "
                "or begin one with: git init && git add . && git commit"
            )
        commit = git.asked("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if commit is None:
            raise MigrationError(f"{self.top} has no commit yet; make one with: git add . && git commit")
        changed = git.paths(
            "status", "-z", "--porcelain", "--untracked-files=all", "--no-renames", "--", f"./{self.prefix}"
        )
        # A file that git does not know matters when a phase would have edited it.
        missed = tuple(one[3:] for one in changed if not one.startswith("??") or one.endswith((".py", ".pyi")))
        if missed:
            raise DirtyWorktreeError(str(self.top), missed, _ADVICE)
        return commit

    def check_free(self, branch: str, place: Path) -> None:
        """Raise `MigrationError` when there is a branch or a directory of the name that a migration is to have."""
        if (
            self.git is not None
            and self.git.asked("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") is not None
        ):
            raise MigrationError(
                f"the branch {branch} exists already, and no migration that is under way has made it; "
                f"rename it with git branch -m {branch} NAME, or delete it with git branch -D {branch}"
            )
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise MigrationError(f"{place} exists already; move it away, or give another directory with --worktree")
        if not place.parent.is_dir() or not os.access(place.parent, os.W_OK):
            raise MigrationError(f"{place.parent} cannot be written; give another directory with --worktree")


def slug(recipe: str) -> str:
    """A recipe's name as part of a branch and of a path."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", recipe).strip("-") or "recipe"
