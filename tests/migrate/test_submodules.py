"""Submodules in a worktree."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.git import Git
from carrel.migrate.submodules import fill_submodules, remove_submodules, submodule_commits
from tests.migrate.project import commit, git, repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a submodule that has a submodule."""
    inner = repository(tmp_path / "inner", {"inner.py": "x = 1\n"})
    middle = repository(tmp_path / "middle", {"middle.py": "x = 1\n"})
    git(middle, "submodule", "--quiet", "add", str(inner), "inner")
    commit(middle, "Add")
    root = repository(tmp_path / "code")
    git(root, "submodule", "--quiet", "add", str(middle), "lib/middle")
    commit(root, "Add")
    git(root, "submodule", "--quiet", "update", "--init", "--recursive")
    return root


def test_they_are_filled_at_every_depth_and_removed_without_a_trace(root: Path, tmp_path: Path) -> None:
    here, tree = Git(root), tmp_path / "tree"
    git(root, "worktree", "add", "-q", str(tree), "-b", "other")
    assert [path for path, _ in submodule_commits(here)] == ["lib/middle"]
    fill_submodules(here, root, tree)
    fill_submodules(here, root, tree)
    assert (tree / "lib/middle/inner/inner.py").read_text() == "x = 1\n"
    assert git(tree, "status", "--porcelain") == ""
    remove_submodules(here, tree)
    assert list((tree / "lib/middle").iterdir()) == []
    for clone in (root / "lib/middle", root / "lib/middle/inner"):
        assert git(clone, "worktree", "list").count("\n") == 0
        assert git(clone, "status", "--porcelain") == ""


def test_a_commit_that_was_never_fetched_is_told_with_how_to_get_it(root: Path, tmp_path: Path) -> None:
    git(root, "update-index", "--cacheinfo", f"160000,{'1' * 40},lib/middle")
    git(root, "-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "Point elsewhere")
    git(root, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "other")
    with pytest.raises(MigrationError, match=r"has no commit 111111111111, .* submodule update lib/middle"):
        fill_submodules(Git(root), root, tmp_path / "tree")
