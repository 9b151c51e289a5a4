"""The place for phases is made once, and found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.checkout import Checkout
from carrel.migrate.ledger import Ledger
from carrel.migrate.opening import open_workspace
from carrel.migrate.outlines import CACHE, read_outlines
from carrel.migrate.records import MigrationOpening
from carrel.migrate.workspace import Workspace
from carrel.source import SourceTree
from tests.migrate.project import git, repository, worktree_of, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "code")


def opened(root: Path, *, in_place: bool = False, place: Path | None = None) -> tuple[Workspace, Ledger]:
    checkout = Checkout.of(root)
    ledger = Ledger(checkout.journal("old to new"))
    return open_workspace(checkout, ledger, "old to new", in_place=in_place, place=place), ledger


def test_it_is_made_once_and_found_again(root: Path) -> None:
    first, ledger = opened(root)
    again, same = opened(root)
    assert first.root == again.root == worktree_of(root)
    assert ledger.history == same.history
    assert ledger.history.opened is not None


def test_what_was_read_of_the_checkout_is_known_in_the_worktree(root: Path) -> None:
    tree = SourceTree(root)
    outlines = read_outlines(tree)
    workspace, _ = opened(root)
    kept = [file.name for file in (root / CACHE).iterdir()]
    assert sorted(file.name for file in (workspace.root / CACHE).iterdir()) == sorted(kept)
    assert read_outlines(SourceTree(workspace.root)) == outlines
    workspace.check_clean()
    assert git(workspace.root, "status", "--porcelain") == ""


def test_one_that_was_interrupted_is_made_again(root: Path) -> None:
    _, ledger = opened(root)
    opening = ledger.history.opening
    assert opening is not None
    journal = Checkout.of(root).journal("old to new")
    journal.path.unlink()
    journal.append(opening)
    write(worktree_of(root), {"pkg/a.py": "half"})
    workspace, _ = opened(root)
    assert (workspace.root / "pkg" / "a.py").read_bytes() == (root / "pkg" / "a.py").read_bytes()


def test_one_that_was_interrupted_never_takes_somebodys_branch(root: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    Checkout.of(root).journal("old to new").append(
        MigrationOpening(
            mode="worktree", root=str(root), recipe="old to new", place=str(worktree_of(root)),
            branch="carrel/old-to-new", base=base,
        )
    )  # fmt: skip
    git(root, "-c", "user.name=a", "-c", "user.email=b", "commit", "-q", "--allow-empty", "-m", "Mine")
    git(root, "branch", "carrel/old-to-new")
    with pytest.raises(MigrationError, match="is not this migration's"):
        opened(root)


def test_it_is_gone_on_with_as_it_was_begun(root: Path, tmp_path: Path) -> None:
    opened(root)
    with pytest.raises(MigrationError, match="begun without --in-place; go on without it"):
        opened(root, in_place=True)
    with pytest.raises(MigrationError, match=r"begun in the worktree .*; go on without --worktree"):
        opened(root, place=tmp_path / "elsewhere")


def test_a_repository_that_is_gone_is_told(root: Path) -> None:
    _, ledger = opened(root)
    bare = Checkout(root, None, root, "", root / ".git" / "carrel")
    with pytest.raises(MigrationError, match="bring its .git directory back"):
        open_workspace(bare, ledger, "old to new", in_place=False, place=None)
