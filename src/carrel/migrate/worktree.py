"""Phases as commits on a branch of their own, in a git worktree beside the user's checkout, which stays as it is."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from carrel.errors import DirtyWorktreeError, MigrationError, RollbackError
from carrel.migrate.fingerprint import Manifests, file_digest, fingerprint
from carrel.migrate.git import Git
from carrel.migrate.outcome import Edited
from carrel.migrate.replacement import check_space, remove_leftover, replace_bytes, set_aside, unwritable
from carrel.migrate.submodules import fill_submodules, remove_submodules
from carrel.migrate.workspace import Mark, Proof

__all__ = ["Worktree", "identity"]

_NAME: Final = "carrel"
_ADDRESS: Final = "carrel@localhost"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_LOCK_PATIENCE: Final = 2.0
"""Seconds that an `index.lock` must stay unchanged before it is taken for one that a killed git has left."""


class Worktree:
    """The branch `branch`, checked out in the directory `place`; `root` is the user's directory in there.

    `state` is a directory for what must survive a phase. Raises `MigrationError` wherever git does.
    """

    def __init__(self, git: Git, place: Path, branch: str, prefix: str, state: Path) -> None:
        self._outside = git
        self._git = git.at(place)
        self._place = place
        self._manifests = Manifests(place)
        self._branch = branch
        self._ref = f"refs/heads/{branch}"
        self._prefix = prefix
        self._state = state

    @property
    def root(self) -> Path:
        return self._place / self._prefix

    @property
    def exists(self) -> bool:
        return (self._place / ".git").is_file()

    def make(self, base: str, checkout: Path) -> None:
        """Make branch and worktree at the commit `base`; what a killed attempt has left of them is removed first."""
        self._clear(base)
        check_space(self._place.parent, self._size(base))
        self._outside.run("branch", "--no-track", self._branch, base)
        self._outside.run("worktree", "add", "--quiet", str(self._place), self._branch)
        fill_submodules(self._outside, checkout, self._place)

    def attach(self, checkout: Path, *, anew_at: str = "") -> None:
        """Make sure that the worktree is there and on its branch: one that was deleted is checked out again.

        A branch that was deleted is made anew at the commit `anew_at`, when that is given.
        """
        if anew_at and not self._has_branch():
            self._outside.run("branch", "--no-track", self._branch, anew_at)
        if not self._has_branch():
            raise MigrationError(
                f"the branch {self._branch} of this migration is gone; get it back with "
                f"git branch {self._branch} COMMIT, or take everything back with: carrel migrate rollback"
            )
        if not self.exists:
            self._outside.run("worktree", "prune")
            self._outside.run("worktree", "add", "--quiet", str(self._place), self._branch)
        fill_submodules(self._outside, checkout, self._place)
        on = self._git.asked("symbolic-ref", "--quiet", "HEAD")
        if on != self._ref:
            raise MigrationError(
                f"{self._place} is not on the branch {self._branch}; go back with: "
                f"git -C {self._place} switch {self._branch}"
            )

    def clear_stale_lock(self) -> None:
        """Remove the lock that a killed git has left on the index of the worktree."""
        lock = self._index_lock()
        if not lock.exists():
            return
        before = lock.stat().st_mtime_ns
        time.sleep(_LOCK_PATIENCE)
        if lock.exists() and lock.stat().st_mtime_ns == before:
            lock.unlink()

    def check_clean(self) -> None:
        lock = self._index_lock()
        if lock.exists():
            raise MigrationError(
                f"another git is at work in {self._place}; when none is, remove {lock} and give the same command again"
            )
        changed = self._changed()
        if changed:
            raise DirtyWorktreeError(
                str(self._place),
                tuple(changed),
                "commit them there (git commit -a), so that no phase is mixed with them",
            )

    def mark(self) -> Mark:
        return Mark(self._head(), fingerprint(self._manifest()))

    def check_writable(self, files: Sequence[Edited]) -> None:
        tracked = set(self._git.paths("ls-files", "-z"))
        unknown = tuple(file.path for file in files if self._prefix + file.path not in tracked)
        if unknown:
            raise DirtyWorktreeError(str(self.root), unknown, "add these files to git, or exclude them in the recipe")
        _refuse_unwritable(self.root, files)
        check_space(self.root, 2 * sum(len(file.after) for file in files))

    def write(self, files: Sequence[Edited]) -> None:
        for file in files:
            replace_bytes(self.root / file.path, file.after)

    def record(self, message: str, when: int, files: Sequence[Edited]) -> Mark:
        names = b"".join(os.fsencode(self._prefix + file.path) + b"\0" for file in files)
        self._git.run("update-index", "-z", "--stdin", stdin=names)
        tree = self._git.line("write-tree")
        parent = self._head()
        # With the time given, the same phase is the same commit however often it is begun anew.
        environment = {**identity(self._git), "GIT_AUTHOR_DATE": f"{when} +0000", "GIT_COMMITTER_DATE": f"{when} +0000"}
        commit = os.fsdecode(
            self._git.run("commit-tree", tree, "-p", parent, stdin=message.encode(), environment=environment)
        ).strip()
        self._git.run("update-ref", "-m", "carrel migrate apply", self._ref, commit, parent)
        return self.mark()

    def restore(self, mark: Mark, *, ours: Mapping[str, str] = _NOTHING, reread: bool = True) -> Proof:
        began = time.monotonic()
        for path in ours:
            remove_leftover(self.root / path)
        foreign = [path for path in self._changed() if not self._is_ours(path, ours)]
        present = {path: self._place / path for path in foreign if os.path.lexists(self._place / path)}
        saved = set_aside(present, self._state / "set-aside")
        head = self._head()
        restored = self._git.paths("diff", "-z", "--name-only", "--no-renames", "--no-ext-diff", mark.at)
        kept = ""
        if head != mark.at:
            # What is taken back can be looked at, and got back, as long as the user wants.
            kept = f"refs/{self._branch}/{head[:12]}"
            self._git.run("update-ref", kept, head)
        self._git.run("reset", "--quiet", "--hard", mark.at)
        proof = self._proved(mark, reread=reread)
        return msgspec.structs.replace(
            proof, restored=tuple(restored), saved=saved, kept=kept, seconds=time.monotonic() - began
        )

    def check_untouched(self, mark: Mark) -> None:
        changed = self._changed()
        if changed:
            raise DirtyWorktreeError(
                str(self._place), tuple(changed), "commit them there, or give --force, which keeps a copy of them"
            )

    def check_reversible(self, applied: Sequence[Mark]) -> None:
        for mark in applied:
            known = self._outside.asked("merge-base", "--is-ancestor", mark.at, self._ref) is not None
            if not known:
                raise RollbackError(
                    f"the branch {self._branch} does not hold the phase's commit {mark.at[:12]} any more",
                    f"it was rewritten; find it with git reflog and put it back: git -C {self._place} reset --hard",
                )
            names = self._outside.line(
                "for-each-ref", "--format=%(refname:short)", "--contains", mark.at, "refs/heads", "refs/remotes"
            )
            others = [name for name in names.splitlines() if name != self._branch]
            if others:
                raise RollbackError(
                    f"the phase's commit {mark.at[:12]} has been merged into {', '.join(others)}",
                    f"take it back there, newest phase first, with: git revert {mark.at[:12]}",
                )

    def discard(self) -> str:
        saved = ""
        if self.exists:
            others = self._git.paths("ls-files", "-z", "--others", "--exclude-standard")
            files = {path: self._place / path for path in others if not path.endswith("/")}
            saved = set_aside(files, self._state / "set-aside")
        self._clear(self._outside.asked("rev-parse", "--verify", "--quiet", self._ref) or "")
        return saved

    def _proved(self, mark: Mark, *, reread: bool) -> Proof:
        files = self._manifest(reread=reread)
        found = fingerprint(files)
        if found != mark.fingerprint:
            # A filter or a file system that does not give back what was written is all that is left to explain it.
            raise RollbackError(
                f"{self._place} is at commit {mark.at[:12]} again, but its files are not byte for byte what they were",
                f"compare with: git -C {self._place} status; nothing is lost, the phases are commits",
            )
        return Proof(
            files=len(files),
            fingerprint=found,
            tree=self._git.line("rev-parse", f"{mark.at}^{{tree}}"),
        )

    def _changed(self) -> list[str]:
        """The tracked files that differ from the last commit, relative to the worktree."""
        states = self._git.paths(
            "status", "-z", "--porcelain", "--untracked-files=no", "--no-renames", "--ignore-submodules=all"
        )
        return [state[3:] for state in states]

    def _is_ours(self, path: str, ours: Mapping[str, str]) -> bool:
        inside = path.removeprefix(self._prefix)
        return inside in ours and file_digest(self._place / path) == ours[inside]

    def _index_lock(self) -> Path:
        return Path(self._git.line("rev-parse", "--path-format=absolute", "--git-path", "index.lock"))

    def _manifest(self, *, reread: bool = False) -> dict[str, str]:
        return self._manifests.read(self._git.paths("ls-files", "-z"), anew=reread)

    def _has_branch(self) -> bool:
        return self._outside.asked("rev-parse", "--verify", "--quiet", self._ref) is not None

    def _head(self) -> str:
        return self._git.line("rev-parse", "HEAD")

    def _size(self, commit: str) -> int:
        """Bytes of all files of a commit."""
        entries = self._outside.run("ls-tree", "-r", "-z", "--long", "--full-tree", commit).split(b"\0")
        sizes = (entry.partition(b"\t")[0].split()[-1] for entry in entries if entry)
        return sum(int(size) for size in sizes if size.isdigit())

    def _clear(self, base: str) -> None:
        """Remove worktree and branch; a branch that is not at `base` holds somebody's work and is refused."""
        tip = self._outside.asked("rev-parse", "--verify", "--quiet", self._ref)
        if tip is not None and tip != base:
            raise MigrationError(
                f"the branch {self._branch} exists already and is not this migration's; rename it with: "
                f"git branch -m {self._branch} NAME"
            )
        if self.exists:
            remove_submodules(self._outside, self._place)
            self._outside.asked("worktree", "remove", "--force", str(self._place))
        if self._place.exists():
            shutil.rmtree(self._place)
        self._outside.run("worktree", "prune")
        if tip is not None:
            self._outside.run("branch", "--quiet", "-D", self._branch)


def identity(git: Git) -> dict[str, str]:
    """What commits need when the user has told git no name: carrel's own. Nothing when they have."""
    known = all(git.asked("config", key) or os.environ.get(name) for key, name in _IDENTITY)
    if known:
        return {}
    return {
        "GIT_AUTHOR_NAME": _NAME,
        "GIT_AUTHOR_EMAIL": _ADDRESS,
        "GIT_COMMITTER_NAME": _NAME,
        "GIT_COMMITTER_EMAIL": _ADDRESS,
    }


_IDENTITY: Final = (("user.name", "GIT_COMMITTER_NAME"), ("user.email", "GIT_COMMITTER_EMAIL"))


def _refuse_unwritable(root: Path, files: Sequence[Edited]) -> None:
    problems = [f"{file.path} {problem}" for file in files if (problem := unwritable(root / file.path))]
    if problems:
        raise MigrationError(
            f"nothing was written, because {'; '.join(problems)}; make them writable (chmod u+w), or exclude them"
        )
