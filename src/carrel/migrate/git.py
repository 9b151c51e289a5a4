"""Git, run as a command in a way that no hook and no display setting of the user changes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from carrel.errors import MigrationError

__all__ = ["Git", "clean_environment"]

_KEPT: Final = frozenset(
    {
        "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_NAME",
        "GIT_CONFIG_COUNT", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM",
    }
)  # fmt: skip
"""Who the user is and where their configuration is. Every other `GIT_…` would point at another repository."""
_KEPT_PREFIXES: Final = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
_SETTINGS: Final = (
    # A hook must neither stop a phase nor change what is in it.
    "core.hooksPath=/dev/null",
    # No process may stay behind that works in a tree which is about to be taken back.
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.quotePath=false",
    "submodule.recurse=false",
)
_NO_GIT: Final = "git is not installed; install it, or use --in-place, which needs none"


def clean_environment() -> dict[str, str]:
    """This process's environment, without what a git that started it has left there.

    Filters, line ends and `safe.directory` come from the user's configuration, so that a worktree holds the same bytes
    as the checkout; hence the configuration itself stays.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


class Git:
    """Runs git in one directory.

    `held` are file descriptors that each git inherits: a lock on them lasts until the last git has ended, even when
    this process is killed.
    """

    def __init__(self, directory: Path, *, held: tuple[int, ...] = ()) -> None:
        self.directory = directory
        self.held = held

    def at(self, directory: Path) -> Git:
        """The same in another directory."""
        return Git(directory, held=self.held)

    def run(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """What the command prints; raises `MigrationError` with git's own words when it fails."""
        ended = self._run(arguments, stdin, environment or {})
        if ended.returncode != 0:
            raise MigrationError(self._problem(arguments, os.fsdecode(ended.stderr)))
        return ended.stdout

    def line(self, *arguments: str) -> str:
        """What the command prints, as one line without its end."""
        return os.fsdecode(self.run(*arguments)).rstrip("\n")

    def asked(self, *arguments: str) -> str | None:
        """What the command prints, as one line; `None` when it fails."""
        ended = self._run(arguments, b"", {})
        return os.fsdecode(ended.stdout).rstrip("\n") if ended.returncode == 0 else None

    def paths(self, *arguments: str) -> list[str]:
        """The paths that a command with `-z` prints."""
        return [os.fsdecode(path) for path in self.run(*arguments).split(b"\0") if path]

    def _run(
        self, arguments: tuple[str, ...], stdin: bytes, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        try:
            return subprocess.run(  # noqa: S603 - the arguments are ours, and no shell reads them
                ("git", *settings, *arguments),  # noqa: S607 - the git that the user has on their path
                cwd=self.directory,
                env={**clean_environment(), **environment},
                input=stdin,
                capture_output=True,
                check=False,
                pass_fds=self.held,
            )
        except (FileNotFoundError, NotADirectoryError):
            there = self.directory.is_dir()
            raise MigrationError(_NO_GIT if there else f"{self.directory} is not a directory; give --root") from None

    def _problem(self, arguments: tuple[str, ...], said: str) -> str:
        said = " ".join(said.split())
        if "index.lock" in said:
            return (
                f"git says: {said} If no git runs in {self.directory}, remove that file and give the same command again"
            )
        if "No space left on device" in said:
            return f"the disk is full ({self.directory}); free some space and give the same command again"
        return f"git {arguments[0]} failed in {self.directory}: {said or 'it did not say why'}"
