"""Compares what commit messages say with what the commits changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carrel.migrate.burn_down import checked_out
from carrel.migrate.git import Git
from carrel.migrate.recipe import Recipe
from carrel.migrate.references import find_references

__all__ = ["Claim", "CommitChange", "check_claims", "claims_of"]

_NUMBER: Final = re.compile(
    r"(?<![\w.#/-])(\d[\d,]*)\+?\s+(?:\w+\s+){0,2}?(files?|imports?|references?|usages?|uses?|call\s?sites?)\b",
    re.IGNORECASE,
)
_ALL: Final = re.compile(
    r"\b(?:complete[ds]?|completely|fully|all\s+(?:\w+\s+){0,3}?(?:imports|references|usages|uses|files|consumers)"
    r"|no\s+(?:more\s+|remaining\s+)?(?:references|imports|usages))\b|\b100\s?%",
    re.IGNORECASE,
)
_REMOVED: Final = re.compile(r"\b(?:remove|delete)[sd]?\s+(?:the\s+)?[`'\"]?([\w/.-]+\.pyi?)\b", re.IGNORECASE)
_MIGRATION: Final = re.compile(r"\b(migrat|mov|replac|consolidat|renam|remov|delet|switch|deprecat)\w*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitChange:
    """What one commit changed."""

    commit: str
    message: str
    files: tuple[str, ...]
    deleted: tuple[str, ...]
    references_before: int
    references_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing that a message says, beside what is so."""

    commit: str
    subject: str
    said: str
    """The words of the message."""
    fact: str
    holds: bool


def claims_of(change: CommitChange) -> Iterator[Claim]:
    """The claims of one message about migrating that can be checked.

    A number of files is held against the files that changed, a number of references against those that went, words
    like "complete" against the references left, a file said to be removed against those deleted.
    """
    message = change.message
    if not _MIGRATION.search(message):
        return
    gone = change.references_before - change.references_after
    for match in _NUMBER.finditer(message):
        number = int(match[1].replace(",", ""))
        if match[2].lower().startswith("file"):
            changed = len(change.files)
            yield _claim(
                change,
                match[0],
                f"{changed} {'file' if changed == 1 else 'files'} changed",
                number == len(change.files),
            )
        else:
            yield _claim(change, match[0], f"{gone} went, {_left(change.references_after)}", number == gone)
    complete = _ALL.search(message)
    if complete is not None:
        left = change.references_after
        fact = _left(left) if left else "no reference is left"
        if left and not any(path.endswith((".py", ".pyi")) for path in change.files):
            fact += ", and no Python file changed"
        yield _claim(change, complete[0], fact, not left)
    for match in _REMOVED.finditer(message):
        name = match[1].lstrip("./")
        is_deleted = any(path == name or path.endswith(f"/{name}") for path in change.deleted)
        yield _claim(change, match[0], f"{name} was {'' if is_deleted else 'not '}deleted", is_deleted)


def check_claims(
    root: Path,
    recipe: Recipe,
    *,
    since: str = "",
    most: int = 50,
    jobs: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Claim, ...]:
    """The claims of the last commits of the current branch, or of those after `since`; at most `most`, newest first.

    Raises `MigrationError` where there is no git repository, or no such commit.
    """
    git = Git(root)
    span = f"{since}..HEAD" if since else "HEAD"
    log = git.run("log", "--first-parent", f"--max-count={most}", "--format=%H%x00%B%x01", "--end-of-options", span)
    entries = [entry.strip().split("\0", 1) for entry in log.decode(errors="replace").split("\1") if entry.strip()]
    # Only messages that claim something are worth two scans.
    entries = [one for one in entries if len(one) == 2 and any(claims_of(_unread(one[0], one[1])))]
    found: list[Claim] = []
    with checked_out(root) as (check_out, directory):

        def left(commit: str) -> int:
            check_out(commit)
            return len(find_references(directory, recipe, jobs=jobs).references) if directory.is_dir() else 0

        for number, (commit, message) in enumerate(entries, 1):
            parent = git.asked("rev-parse", "--verify", "--quiet", f"{commit}^")
            status = git.run(
                "diff-tree", "-r", "-z", "--no-renames", "--root", "--no-commit-id", "--name-status", commit
            )
            fields = status.decode(errors="surrogateescape").split("\0")
            changed = list(zip(fields[::2], fields[1::2], strict=False))
            change = CommitChange(
                commit=commit,
                message=message.strip(),
                files=tuple(path for _, path in changed),
                deleted=tuple(path for kind, path in changed if kind == "D"),
                references_before=left(parent) if parent else 0,
                references_after=left(commit),
            )
            found.extend(claims_of(change))
            if progress is not None:
                progress(number, len(entries))
    return tuple(found)


def _left(count: int) -> str:
    return "1 reference is left" if count == 1 else f"{count} references are left"


def _unread(commit: str, message: str) -> CommitChange:
    return CommitChange(commit=commit, message=message, files=(), deleted=(), references_before=0, references_after=0)


def _claim(change: CommitChange, said: str, fact: str, holds: bool) -> Claim:  # noqa: FBT001 - the verdict
    subject = change.message.partition("\n")[0]
    return Claim(commit=change.commit, subject=subject, said=" ".join(said.split()), fact=fact, holds=holds)
