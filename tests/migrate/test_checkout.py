"""The directory that the user works in."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.checkout import Checkout, slug
from tests.migrate.project import git, repository


@pytest.mark.parametrize(
    ("name", "part"), [("old to new", "old-to-new"), ("../x.lock", "x-lock"), ("a/b~c", "a-b-c"), ("é", "recipe")]
)
def test_a_name_becomes_part_of_a_branch(name: str, part: str, tmp_path: Path) -> None:
    assert slug(name) == part
    root = repository(tmp_path / "code")
    git(root, "check-ref-format", f"refs/heads/carrel/{part}")


def test_state_is_kept_where_git_keeps_its_own(tmp_path: Path) -> None:
    root = repository(tmp_path / "code")
    found = Checkout.of(root / "pkg")
    assert (found.top, found.prefix, found.root) == (root, "pkg/", root / "pkg")
    assert found.state == root / ".git" / "carrel"
    git(root, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    assert Checkout.of(tmp_path / "other").state == found.state


def test_without_git_it_is_kept_beside_the_code(tmp_path: Path) -> None:
    found = Checkout.of(tmp_path)
    assert found.git is None
    assert found.state == tmp_path / ".carrel" / "migrate"
    assert found.journal("old to new").path == tmp_path / ".carrel" / "migrate" / "old-to-new" / "journal.jsonl"


def test_a_directory_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="is not a directory; give one with --root"):
        Checkout.of(tmp_path / "nothing")


def test_a_repository_that_git_will_not_read_is_not_taken_for_none(tmp_path: Path) -> None:
    root = repository(tmp_path / "code")
    (root / ".git" / "config").write_text("[broken")
    with pytest.raises(MigrationError, match="bad config"):
        Checkout.of(root)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    found = Checkout.of(repository(tmp_path / "code"))
    with pytest.raises(MigrationError, match="cannot be written; give another directory with --worktree"):
        found.check_free("carrel/x", tmp_path / "nothing" / "place")
