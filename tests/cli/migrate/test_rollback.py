"""`carrel migrate rollback`."""

from __future__ import annotations

import json
from pathlib import Path

from carrel.errors import DirtyWorktreeError, RollbackError
from tests.cli.migrate.conftest import Migrate
from tests.migrate.project import content, git, worktree_of, write


def test_everything_is_taken_back_with_its_proof(migrate: Migrate, root: Path) -> None:
    migrate("apply")
    ended = migrate("rollback")
    assert ended.exit_code == 0, ended.output
    first, second, *_ = ended.stdout.splitlines()
    assert first == "taken back to before the first phase"
    assert second.startswith("  2 files put back in ")
    assert "all 6 files read again: fingerprint " in second
    assert second.endswith(", as before")
    assert not worktree_of(root).exists()
    assert git(root, "branch", "--list", "carrel/*") == ""


def test_phases_after_one_are_taken_back(migrate: Migrate, root: Path) -> None:
    migrate("apply")
    ended = migrate("rollback", "--to", "first", "--format", "json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["proof"]["restored"] == ["pkg/b.py"]
    assert content(worktree_of(root))["pkg/b.py"] == content(root)["pkg/b.py"]
    assert content(worktree_of(root))["pkg/a.py"] != content(root)["pkg/a.py"]


def test_somebodys_changes_are_only_put_aside_when_asked(migrate: Migrate, root: Path) -> None:
    migrate("apply")
    write(worktree_of(root), {"pkg/new.py": "by_hand = 1\n"})
    ended = migrate("rollback")
    assert isinstance(ended.exception, DirtyWorktreeError)
    assert "--force, which keeps a copy" in str(ended.exception)
    ended = migrate("rollback", "--force")
    assert ended.exit_code == 0, ended.output
    (line,) = [line for line in ended.stdout.splitlines() if "are kept in" in line]
    assert (Path(line.rpartition(" ")[2]) / "pkg" / "new.py").read_text() == "by_hand = 1\n"


def test_nothing_to_take_back_is_said(migrate: Migrate) -> None:
    ended = migrate("rollback")
    assert isinstance(ended.exception, RollbackError)
    assert str(ended.exception) == "nothing of old to new is applied; there is nothing to take back"
