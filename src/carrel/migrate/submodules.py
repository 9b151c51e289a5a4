"""Submodules in a worktree: git leaves them empty, and tests that need them would fail for no fault of a phase."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from carrel.errors import MigrationError
from carrel.migrate.git import Git

__all__ = ["fill_submodules", "remove_submodules", "submodule_commits"]

_GITLINK: Final = b"160000"


def submodule_commits(git: Git) -> Iterator[tuple[str, str]]:
    """The path and the recorded commit of every submodule of a repository."""
    for entry in git.run("ls-files", "-z", "--stage").split(b"\0"):
        if entry.startswith(_GITLINK):
            facts, _, path = entry.partition(b"\t")
            yield os.fsdecode(path), facts.split()[1].decode()


def fill_submodules(git: Git, checkout: Path, worktree: Path) -> None:
    """Give the worktree the submodules that the checkout has, at the recorded commits, from the clones that it has.

    Each becomes a worktree of its own clone: nothing is fetched, and a submodule is a repository of its own that no
    phase edits. One that the checkout has not initialised stays empty here too.
    """
    for path, commit in submodule_commits(git.at(worktree)):
        source, target = checkout / path, worktree / path
        if not (source / ".git").exists() or (target / ".git").exists():
            continue
        inner = git.at(source)
        inner.run("worktree", "prune")
        if inner.asked("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is None:
            raise MigrationError(
                f"the submodule {path} has no commit {commit[:12]}, which its repository asks for; "
                f"fetch it with: git -C {checkout} submodule update {path}"
            )
        inner.run("worktree", "add", "--quiet", "--detach", str(target), commit)
        fill_submodules(git, source, target)


def remove_submodules(git: Git, worktree: Path) -> None:
    """Take the submodules out of the worktree again, innermost first."""
    for path, _ in submodule_commits(git.at(worktree)):
        target = worktree / path
        if (target / ".git").is_file():
            remove_submodules(git, target)
            # The clone is where the worktree says that its repository is.
            common = git.at(target).line("rev-parse", "--path-format=absolute", "--git-common-dir")
            git.at(Path(common)).run("worktree", "remove", "--force", str(target))
            target.mkdir(exist_ok=True)
