"""Phases on a branch of their own: whatever state the repository is in, the checkout stays as it is."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from carrel.errors import DirtyWorktreeError, MigrationError, RollbackError
from carrel.migrate.checkout import Checkout
from carrel.migrate.git import Git
from carrel.migrate.phase import PhaseApplied
from carrel.migrate.runner import Migration
from carrel.migrate.worktree import identity
from tests.migrate.project import (
    FILES,
    commit,
    content,
    gate,
    git,
    migration,
    moved,
    recipe,
    repository,
    worktree_of,
    write,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "code")


def make(root: Path, place: Path | None = None) -> Migration:
    return migration(root, recipe(), place=place)


def branch(root: Path) -> str:
    return git(root, "rev-parse", "carrel/old-to-new")


def test_each_phase_is_one_commit_and_the_checkout_is_not_touched(root: Path) -> None:
    before = content(root), git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")
    first, second = make(root).apply()
    assert (content(root), git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before
    assert git(root, "log", "--format=%s", "main..carrel/old-to-new").splitlines() == [
        "Move old to new: second", "Move old to new: first",
    ]  # fmt: skip
    assert isinstance(second, PhaseApplied)
    assert second.mark.at == branch(root)
    assert git(root, "diff", "--name-only", "main", "carrel/old-to-new").splitlines() == ["pkg/a.py", "pkg/b.py"]
    trailers = git(root, "log", "-1", "--format=%(trailers:key=Carrel-Phase,valueonly)", "carrel/old-to-new")
    assert trailers == "second"
    expected = {path: moved(data) if path in ("pkg/a.py", "pkg/b.py") else data for path, data in content(root).items()}
    assert content(worktree_of(root)) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [("pkg/a.py", "changed = 1\n"), ("pkg/more.py", "from pkg.old import Old\n")],
    ids=["changed", "unknown to git"],
)
def test_a_dirty_checkout_is_refused(root: Path, path: str, text: str) -> None:
    write(root, {path: text})
    before = content(root)
    with pytest.raises(DirtyWorktreeError, match=r"git stash") as caught:
        list(make(root).apply())
    assert caught.value.paths == (path,)
    assert content(root) == before
    assert not worktree_of(root).exists()


def test_staged_changes_are_refused_and_stay_staged(root: Path) -> None:
    write(root, {"pkg/a.py": "changed = 1\n"})
    git(root, "add", "pkg/a.py")
    with pytest.raises(DirtyWorktreeError):
        list(make(root).apply())
    assert git(root, "status", "--porcelain") == "M  pkg/a.py"


def test_notes_that_are_no_python_do_not_make_a_checkout_dirty(root: Path) -> None:
    write(root, {"todo.txt": "think\n"})
    assert len(list(make(root).apply())) == 2


def test_a_checkout_that_gets_dirty_later_does_not_matter(root: Path) -> None:
    list(make(root).apply(["first"]))
    write(root, {"pkg/a.py": "changed = 1\n"})
    list(make(root).apply(["second"]))
    assert content(root)["pkg/a.py"] == b"changed = 1\n"


def test_a_detached_head_is_begun_from(root: Path) -> None:
    git(root, "checkout", "-q", "--detach")
    list(make(root).apply())
    assert git(root, "merge-base", "HEAD", "carrel/old-to-new") == git(root, "rev-parse", "HEAD")


def test_a_directory_inside_of_the_repository_is_migrated_there(tmp_path: Path) -> None:
    top = repository(tmp_path / "mono", {f"services/api/{path}": text for path, text in FILES.items()})
    root = top / "services" / "api"
    list(make(root).apply())
    assert git(top, "diff", "--name-only", "main", "carrel/old-to-new").splitlines() == [
        "services/api/pkg/a.py", "services/api/pkg/b.py",
    ]  # fmt: skip
    with pytest.raises(MigrationError, match=r"was begun in .*services/api"):
        list(make(top).apply())


def test_submodules_are_there_in_the_worktree_and_go_with_it(root: Path, tmp_path: Path) -> None:
    library = repository(tmp_path / "library", {"lib.py": "x = 1\n"})
    git(root, "submodule", "--quiet", "add", str(library), "vendor/lib")
    commit(root, "Add a library")
    needed = recipe(gates=gate("needs the library", "test -f vendor/lib/lib.py"))
    outcomes = list(migration(root, needed).apply())
    assert all(isinstance(one, PhaseApplied) for one in outcomes)
    assert git(worktree_of(root), "status", "--porcelain") == ""
    done = migration(root, needed).roll_back()
    assert not done.proof.foreign
    assert not worktree_of(root).exists()
    assert git(root, "worktree", "list").count("\n") == 0
    assert git(root / "vendor" / "lib", "worktree", "list").count("\n") == 0
    assert (root / "vendor" / "lib" / "lib.py").read_text() == "x = 1\n"
    assert git(root, "status", "--porcelain") == ""


def test_a_submodule_that_is_not_initialised_stays_empty(root: Path, tmp_path: Path) -> None:
    library = repository(tmp_path / "library", {"lib.py": "x = 1\n"})
    git(root, "submodule", "--quiet", "add", str(library), "vendor/lib")
    commit(root, "Add a library")
    git(root, "submodule", "--quiet", "deinit", "-f", "vendor/lib")
    list(make(root).apply())
    assert list((worktree_of(root) / "vendor" / "lib").iterdir()) == []


def test_a_nested_repository_is_left_alone(root: Path) -> None:
    inner = repository(root / "pkg" / "inner", {"a.py": "from pkg.old import Old\n"})
    list(make(root).apply())
    assert git(inner, "status", "--porcelain") == ""
    assert not (worktree_of(root) / "pkg" / "inner").exists()


def test_a_symbolic_link_is_reported_and_stays_one(tmp_path: Path) -> None:
    root = repository(tmp_path / "code", {**FILES, "pkg/real.py": "from pkg.old import Old\n", "pkg/b.py": ""})
    (root / "pkg" / "b.py").unlink()
    (root / "pkg" / "b.py").symlink_to("real.py")
    commit(root, "Link")
    quiet = recipe(triggers="triggers = []")
    _, second = migration(root, quiet).apply()
    assert isinstance(second, PhaseApplied)
    assert second.files == 0
    assert "it is a symbolic link" in second.left[0].reason
    assert os.readlink(worktree_of(root) / "pkg" / "b.py") == "real.py"


@pytest.mark.parametrize("hook", ["post-checkout", "pre-commit", "commit-msg", "reference-transaction", "post-commit"])
def test_hooks_that_fail_stop_nothing(root: Path, hook: str) -> None:
    file = root / ".git" / "hooks" / hook
    file.parent.mkdir(exist_ok=True)
    file.write_text("#!/bin/sh\nexit 1\n")
    file.chmod(0o755)
    assert len(list(make(root).apply())) == 2
    make(root).roll_back()
    assert file.read_text() == "#!/bin/sh\nexit 1\n"


def test_nobody_needs_to_have_told_git_a_name(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git(root, "config", "user.useConfigOnly", "true")
    list(make(root).apply())
    assert git(root, "log", "-1", "--format=%an <%ae>", "carrel/old-to-new") == "carrel <carrel@localhost>"


def test_the_users_own_name_is_taken_when_there_is_one(root: Path) -> None:
    git(root, "config", "user.name", "Bob")
    git(root, "config", "user.email", "bob@example.org")
    assert identity(Git(root)) == {}
    list(make(root).apply())
    assert git(root, "log", "-1", "--format=%an <%ae>", "carrel/old-to-new") == "Bob <bob@example.org>"


def test_settings_of_the_user_change_nothing(root: Path) -> None:
    for key, value in (
        ("diff.noprefix", "true"), ("status.short", "true"), ("status.showUntrackedFiles", "all"),
        ("core.quotePath", "true"), ("commit.gpgSign", "true"), ("gpg.program", "false"), ("diff.external", "false"),
        ("color.ui", "always"), ("core.pager", "false"), ("status.relativePaths", "true"),
    ):  # fmt: skip
        git(root, "config", key, value)
    assert len(list(make(root).apply())) == 2
    make(root).roll_back("first")


def test_a_lock_on_the_users_index_is_none_of_our_business(root: Path) -> None:
    (root / ".git" / "index.lock").touch()
    assert len(list(make(root).apply())) == 2
    assert (root / ".git" / "index.lock").exists()


def test_a_lock_on_the_worktrees_index_is_refused_before_anything_is_written(root: Path) -> None:
    list(make(root).apply(["first"]))
    lock = Path(git(worktree_of(root), "rev-parse", "--path-format=absolute", "--git-path", "index.lock"))
    lock.touch()
    before = content(worktree_of(root))
    with pytest.raises(MigrationError, match=r"when none is, remove .*index\.lock and give the same command again"):
        list(make(root).apply())
    assert content(worktree_of(root)) == before
    lock.unlink()
    assert len(list(make(root).apply())) == 1


def test_somebodys_changes_in_the_worktree_are_not_mixed_with_a_phase(root: Path) -> None:
    list(make(root).apply(["first"]))
    write(worktree_of(root), {"pkg/a.py": "by_hand = 1\n"})
    with pytest.raises(DirtyWorktreeError, match="commit them there"):
        list(make(root).apply())
    assert content(worktree_of(root))["pkg/a.py"] == b"by_hand = 1\n"


def test_work_that_was_committed_on_the_branch_stays_under_the_next_phase(root: Path) -> None:
    list(make(root).apply(["first"]))
    write(worktree_of(root), {"pkg/a.py": "by_hand = 1\n"})
    commit(worktree_of(root), "By hand")
    list(make(root).apply())
    assert content(worktree_of(root))["pkg/a.py"] == b"by_hand = 1\n"


def test_a_worktree_that_was_deleted_is_checked_out_again(root: Path) -> None:
    list(make(root).apply(["first"]))
    shutil.rmtree(worktree_of(root))
    list(make(root).apply())
    assert content(worktree_of(root))["pkg/b.py"] == moved(content(root)["pkg/b.py"])


def test_a_worktree_on_another_branch_is_refused(root: Path) -> None:
    list(make(root).apply(["first"]))
    git(worktree_of(root), "checkout", "-q", "-b", "other")
    with pytest.raises(MigrationError, match="switch carrel/old-to-new"):
        list(make(root).apply())


def test_a_branch_that_was_deleted_is_said_and_the_rest_can_be_taken_back(root: Path) -> None:
    list(make(root).apply(["first"]))
    git(worktree_of(root), "checkout", "-q", "--detach")
    git(root, "branch", "-q", "-D", "carrel/old-to-new")
    shutil.rmtree(worktree_of(root))
    with pytest.raises(MigrationError, match="the branch carrel/old-to-new of this migration is gone"):
        list(make(root).apply())
    with pytest.raises(RollbackError, match="does not hold the phase's commit"):
        make(root).roll_back()


def test_a_phase_that_was_merged_is_not_taken_back_behind_somebodys_back(root: Path) -> None:
    list(make(root).apply())
    git(root, "merge", "-q", "carrel/old-to-new")
    with pytest.raises(RollbackError, match=r"has been merged into main; take it back there, .* git revert"):
        make(root).roll_back()
    assert worktree_of(root).exists()


def test_what_is_taken_back_can_be_got_back(root: Path) -> None:
    list(make(root).apply())
    tip = branch(root)
    done = make(root).roll_back()
    assert git(root, "rev-parse", done.proof.kept) == tip
    assert not worktree_of(root).exists()
    assert git(root, "branch", "--list", "carrel/*") == ""


def test_files_that_git_does_not_know_are_kept_when_the_worktree_goes(root: Path) -> None:
    list(make(root).apply())
    write(worktree_of(root), {"notes.txt": "mine"})
    make(root).roll_back()
    state = Checkout.of(root).directory("old to new")
    assert (state / "set-aside" / "1" / "notes.txt").read_text() == "mine"


def test_somebody_elses_branch_and_directory_are_refused(root: Path) -> None:
    git(root, "branch", "carrel/old-to-new")
    with pytest.raises(MigrationError, match="rename it with git branch -m carrel/old-to-new NAME"):
        list(make(root).apply())
    git(root, "branch", "-D", "-q", "carrel/old-to-new")
    write(worktree_of(root), {"mine.txt": "mine"})
    with pytest.raises(MigrationError, match="exists already; move it away, or give another directory"):
        list(make(root).apply())
    assert (worktree_of(root) / "mine.txt").read_text() == "mine"


def test_line_ends_that_git_converts_stay_what_they_are_on_disk(tmp_path: Path) -> None:
    root = repository(tmp_path / "code", {**FILES, ".gitattributes": "*.py text eol=crlf\n"})
    shutil.rmtree(root / "pkg")
    git(root, "checkout", "-q", "--", ".")
    list(make(root).apply())
    assert content(worktree_of(root))["pkg/a.py"] == b"from pkg.new import New\r\n\r\nmade = New()\r\n"
    done = make(root).roll_back("first")
    assert done.proof.restored == ("pkg/b.py",)
    assert content(worktree_of(root))["pkg/b.py"] == content(root)["pkg/b.py"]


def test_an_executable_file_stays_executable(root: Path) -> None:
    (root / "pkg" / "a.py").chmod(0o755)
    commit(root, "Run it")
    list(make(root).apply())
    assert stat.S_IMODE((worktree_of(root) / "pkg" / "a.py").stat().st_mode) & 0o111
    assert git(root, "diff", "--summary", "main", "carrel/old-to-new") == ""


def test_a_repository_without_a_commit_is_told_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    git(tmp_path / "code", "init", "-q")
    with pytest.raises(MigrationError, match="has no commit yet; make one with: git add"):
        list(make(tmp_path / "code").apply())


def test_without_git_another_way_is_named(tmp_path: Path) -> None:
    write(tmp_path / "code", FILES)
    with pytest.raises(MigrationError, match=r"is not in a git repository; give --in-place"):
        list(make(tmp_path / "code").apply())


def test_a_hook_that_starts_carrel_does_not_lead_it_elsewhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert len(list(make(root).apply())) == 2
    assert git(other, "branch", "--list", "carrel/*") == ""
