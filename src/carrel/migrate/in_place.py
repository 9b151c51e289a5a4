"""Phases in the checkout itself, with or without git: every file is backed up before it is written."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from carrel.errors import DirtyWorktreeError, MigrationError, RollbackError
from carrel.migrate.fingerprint import Manifests, content_digest, differences, file_digest, fingerprint
from carrel.migrate.git import Git
from carrel.migrate.outcome import Edited
from carrel.migrate.replacement import (
    check_space,
    remove_leftover,
    replace_bytes,
    set_aside,
    sync_directory,
    unwritable,
)
from carrel.migrate.workspace import Mark, Proof
from carrel.source import SourceTree

__all__ = ["InPlace"]

_FILES: Final = "files"
_LIST: Final = "list.json"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class _Saved(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup."""

    before: str
    """Digest of the bytes that are kept."""
    after: str
    mode: int


class InPlace:
    """The directory `root`, with backups and file lists under `state`.

    `git` is set where the directory is in a repository: changes that are not committed are refused then. Nothing is
    ever committed here.
    """

    def __init__(self, root: Path, state: Path, git: Git | None) -> None:
        self._root = root
        self._manifests = Manifests(root)
        self._backups = state / "backups"
        self._lists = state / "manifests"
        self._aside = state / "set-aside"
        self._git = git

    @property
    def root(self) -> Path:
        return self._root

    def check_clean(self) -> None:
        if self._git is None:
            return
        states = self._git.paths(
            "status", "-z", "--porcelain", "--untracked-files=no", "--no-renames", "--ignore-submodules=all", "--", "."
        )
        top = Path(self._git.line("rev-parse", "--show-toplevel"))
        changed = [os.path.relpath(top / state[3:], self._root) for state in states]
        ours = {path: saved.after for number in self._numbers() for path, saved in self._read(number).items()}
        theirs = tuple(path for path in changed if file_digest(self._root / path) != ours.get(path, ""))
        if theirs:
            raise DirtyWorktreeError(
                str(self._root), theirs, "commit or stash them (git stash), so that no phase is mixed with them"
            )

    def mark(self) -> Mark:
        files = self._manifest()
        name = fingerprint(files)
        self._lists.mkdir(parents=True, exist_ok=True)
        kept = self._lists / name
        if not kept.exists():
            replace_bytes(kept, msgspec.json.encode({os.fsencode(path).hex(): text for path, text in files.items()}))
        return Mark(str(max(self._numbers(), default=0)), name)

    def check_writable(self, files: Sequence[Edited]) -> None:
        problems = [f"{file.path} {problem}" for file in files if (problem := unwritable(self._root / file.path))]
        if problems:
            raise MigrationError(
                f"nothing was written, because {'; '.join(problems)}; make them writable (chmod u+w), or exclude them"
            )
        check_space(self._root, sum(len(file.after) for file in files))
        self._backups.mkdir(parents=True, exist_ok=True)
        check_space(self._backups, sum(len(file.before) for file in files))

    def write(self, files: Sequence[Edited]) -> None:
        self._back_up(files)
        for file in files:
            replace_bytes(self._root / file.path, file.after)

    def record(self, message: str, when: int, files: Sequence[Edited]) -> Mark:
        return self.mark()

    def restore(self, mark: Mark, *, ours: Mapping[str, str] = _NOTHING, reread: bool = True) -> Proof:
        began = time.monotonic()
        for path in ours:
            remove_leftover(self._root / path)
        numbers = self._after(mark)
        foreign = self._foreign(numbers)
        present = {path: self._root / path for path in foreign if os.path.lexists(self._root / path)}
        saved = set_aside(present, self._aside)
        restored: list[str] = []
        for number in numbers:
            restored.extend(self._put_back(number))
        proof = self._proved(mark, tuple(sorted(set(restored))), saved, began, reread=reread)
        for number in numbers:
            self._forget(number)
        return proof

    def check_untouched(self, mark: Mark) -> None:
        foreign = self._foreign(self._after(mark))
        if foreign:
            raise DirtyWorktreeError(
                str(self._root),
                tuple(foreign),
                "made after the phase; put your version aside, or give --force, which keeps a copy of it",
            )

    def check_reversible(self, applied: Sequence[Mark]) -> None:
        for mark in applied:
            number = int(mark.at)
            for path, saved in self._read(number).items():
                if file_digest(self._place(number) / _FILES / path) != saved.before:
                    raise RollbackError(
                        f"the backup {self._place(number)} of {path} is missing or damaged",
                        "nothing was touched; get the file from elsewhere",
                    )

    def discard(self) -> str:
        for directory in (self._backups, self._lists):
            shutil.rmtree(directory, ignore_errors=True)
        return ""

    def _back_up(self, files: Sequence[Edited]) -> None:
        number = max(self._numbers(), default=0) + 1
        place = self._place(number)
        partial = place.with_name(f"{number}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        listed = {}
        for file in files:
            kept = partial / _FILES / file.path
            kept.parent.mkdir(parents=True, exist_ok=True)
            replace_bytes(kept, file.before, mode=0o600)
            listed[file.path] = _Saved(
                before=content_digest(file.before),
                after=content_digest(file.after),
                mode=stat.S_IMODE((self._root / file.path).stat().st_mode),
            )
        replace_bytes(partial / _LIST, msgspec.json.encode(listed))
        partial.replace(place)
        sync_directory(self._backups)

    def _put_back(self, number: int) -> list[str]:
        """Write the bytes of one backup where they are not yet; gives the paths written."""
        written = []
        for path, saved in self._read(number).items():
            target = self._root / path
            remove_leftover(target)
            if file_digest(target) == saved.before and stat.S_IMODE(target.stat().st_mode) == saved.mode:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            replace_bytes(target, (self._place(number) / _FILES / path).read_bytes(), mode=saved.mode)
            written.append(path)
        return written

    def _foreign(self, numbers: Sequence[int]) -> list[str]:
        """The files that backups would be put over and that hold neither what a phase wrote nor what was before it."""
        known: dict[str, set[str]] = {}
        for number in numbers:
            for path, saved in self._read(number).items():
                known.setdefault(path, set()).update((saved.before, saved.after))
        return sorted(path for path, digests in known.items() if file_digest(self._root / path) not in digests)

    def _proved(self, mark: Mark, restored: tuple[str, ...], saved: str, began: float, *, reread: bool) -> Proof:
        files = self._manifest(reread=reread)
        found = fingerprint(files)
        foreign: list[str] = []
        if found != mark.fingerprint:
            foreign = differences(files, self._known(mark))
            ours = [path for path in foreign if path in restored]
            if ours:
                raise RollbackError(f"{', '.join(ours)} cannot be put back", f"the bytes are kept in {self._backups}")
        return Proof(
            files=len(files), fingerprint=found, restored=restored, foreign=tuple(foreign), saved=saved,
            seconds=time.monotonic() - began,
        )  # fmt: skip

    def _known(self, mark: Mark) -> dict[str, str]:
        listed = msgspec.json.decode((self._lists / mark.fingerprint).read_bytes(), type=dict[str, str])
        return {os.fsdecode(bytes.fromhex(name)): text for name, text in listed.items()}

    def _manifest(self, *, reread: bool = False) -> dict[str, str]:
        return self._manifests.read((file.path for file in SourceTree(self._root).files(suffixes=("",))), anew=reread)

    def _after(self, mark: Mark) -> list[int]:
        """The numbers of the backups that were taken since, newest first."""
        return sorted((number for number in self._numbers() if number > int(mark.at)), reverse=True)

    def _numbers(self) -> list[int]:
        """The numbers of the complete backups."""
        if not self._backups.is_dir():
            return []
        return [int(entry.name) for entry in self._backups.iterdir() if entry.name.isdigit()]

    def _place(self, number: int) -> Path:
        return self._backups / str(number)

    def _read(self, number: int) -> dict[str, _Saved]:
        try:
            return msgspec.json.decode((self._place(number) / _LIST).read_bytes(), type=dict[str, _Saved])
        except (OSError, msgspec.MsgspecError):
            raise RollbackError(
                f"the backup {self._place(number)} is missing or damaged",
                "nothing was touched; get the files elsewhere",
            ) from None

    def _forget(self, number: int) -> None:
        place = self._place(number)
        gone = place.with_name(f"{number}.gone")
        place.replace(gone)
        shutil.rmtree(gone)
