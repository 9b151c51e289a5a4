"""Phases in the checkout itself: with git, without it, and with files that refuse to be written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from carrel.errors import DirtyWorktreeError, MigrationError, RollbackError
from carrel.migrate.checkout import Checkout
from carrel.migrate.in_place import InPlace
from carrel.migrate.outcome import Edited
from carrel.migrate.phase import PhaseApplied
from carrel.migrate.runner import Migration
from tests.migrate.project import FILES, commit, content, git, migration, moved, recipe, repository, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Without git."""
    write(tmp_path / "code", FILES)
    return tmp_path / "code"


def make(root: Path) -> Migration:
    return migration(root, recipe(), in_place=True)


def test_without_git_phases_are_applied_and_taken_back_byte_for_byte(root: Path) -> None:
    before = content(root)
    assert [one.phase for one in make(root).apply() if isinstance(one, PhaseApplied)] == ["first", "second"]
    assert content(root) == {**before, **{path: moved(before[path]) for path in ("pkg/a.py", "pkg/b.py")}}
    make(root).roll_back("first")
    assert content(root) == {**before, "pkg/a.py": moved(before["pkg/a.py"])}
    done = make(root).roll_back()
    assert content(root) == before
    assert done.proof.restored == ("pkg/a.py",)
    assert done.proof.fingerprint == done.mark.fingerprint


def test_git_sees_changes_and_no_commit_no_branch_and_no_file_of_carrels(tmp_path: Path) -> None:
    root = repository(tmp_path / "code")
    head = git(root, "rev-parse", "HEAD")
    list(make(root).apply())
    assert git(root, "status", "--porcelain") == " M pkg/a.py\n M pkg/b.py"
    assert git(root, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    make(root).roll_back()
    assert (git(root, "rev-parse", "HEAD"), git(root, "status", "--porcelain")) == (head, "")


def test_a_dirty_checkout_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    root = repository(tmp_path / "code")
    write(root, {"pkg/new.py": "changed = 1\n"})
    before = content(root)
    with pytest.raises(DirtyWorktreeError, match=r"has changes in pkg/new.py; commit or stash"):
        list(make(root).apply())
    assert content(root) == before


def test_what_an_earlier_phase_has_changed_is_not_dirty_committed_or_not(tmp_path: Path) -> None:
    root = repository(tmp_path / "code")
    list(make(root).apply(["first"]))
    list(make(root).apply(["second"]))
    commit(root, "Take it over")
    make(root).roll_back("first")
    assert git(root, "status", "--porcelain") == " M pkg/b.py"


def test_a_detached_head_and_a_locked_index_do_not_matter(tmp_path: Path) -> None:
    root = repository(tmp_path / "code")
    git(root, "checkout", "-q", "--detach")
    (root / ".git" / "index.lock").touch()
    assert len(list(make(root).apply())) == 2


@pytest.mark.parametrize("how", ["read-only", "read-only directory"])
def test_read_only_files_are_refused_before_anything_is_written(
    root: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "read-only":
        (root / "pkg" / "a.py").chmod(0o444)
    else:
        # Nothing is read-only for root, whom tests may run as.
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "pkg")
    before = content(root)
    with pytest.raises(MigrationError, match=rf"nothing was written, because pkg/a.py is .*{how}; make them writable"):
        list(make(root).apply())
    assert content(root) == before
    assert Checkout.of(root).journal("old to new").history().open is None


def test_permissions_stay_and_hard_links_stay_linked(root: Path) -> None:
    (root / "pkg" / "a.py").chmod(0o750)
    os.link(root / "pkg" / "b.py", root / "b-again.txt")
    before = content(root)
    list(make(root).apply())
    assert (root / "pkg" / "a.py").stat().st_mode & 0o777 == 0o750
    assert (root / "b-again.txt").read_bytes() == moved(before["pkg/b.py"])
    make(root).roll_back()
    assert content(root) == before
    assert (root / "pkg" / "b.py").samefile(root / "b-again.txt")


def test_a_symbolic_link_is_not_replaced(root: Path) -> None:
    write(root, {"pkg/real.py": "from pkg.old import Old\n"})
    (root / "pkg" / "b.py").unlink()
    (root / "pkg" / "b.py").symlink_to("real.py")
    _, second = migration(root, recipe(triggers="triggers = []"), in_place=True).apply()
    assert isinstance(second, PhaseApplied)
    assert "it is a symbolic link" in second.left[0].reason
    assert (root / "pkg" / "b.py").is_symlink()


def test_somebodys_later_change_stops_a_rollback_unless_it_may_be_put_aside(root: Path) -> None:
    before = content(root)
    list(make(root).apply())
    write(root, {"pkg/b.py": "mine = 1\n"})
    with pytest.raises(DirtyWorktreeError, match=r"pkg/b.py; made after the phase"):
        make(root).roll_back()
    assert content(root)["pkg/b.py"] == b"mine = 1\n"
    assert content(root)["pkg/a.py"] == moved(before["pkg/a.py"])
    done = make(root).roll_back(force=True)
    assert content(root) == before
    assert (Path(done.proof.saved) / "pkg" / "b.py").read_bytes() == b"mine = 1\n"


def test_a_file_that_was_deleted_since_comes_back(root: Path) -> None:
    before = content(root)
    list(make(root).apply())
    shutil.rmtree(root / "pkg")
    with pytest.raises(DirtyWorktreeError):
        make(root).roll_back()
    done = make(root).roll_back(force=True)
    assert content(root)["pkg/a.py"] == before["pkg/a.py"]
    assert set(done.proof.foreign) == {"pkg/__init__.py", "pkg/new.py", "pkg/old.py"}


def test_other_files_that_changed_are_named_and_left(root: Path) -> None:
    list(make(root).apply())
    write(root, {"docs/read.md": "more\n", "made.txt": "by a gate\n"})
    done = make(root).roll_back()
    assert done.proof.foreign == ("docs/read.md", "made.txt")
    assert content(root)["docs/read.md"] == b"more\n"


@pytest.mark.parametrize("what", ["one file", "the list", "everything"])
def test_a_damaged_backup_is_found_before_anything_is_touched(root: Path, what: str) -> None:
    list(make(root).apply())
    after = content(root)
    backup = Checkout.of(root).directory("old to new") / "backups" / "2"
    if what == "one file":
        (backup / "files" / "pkg" / "b.py").write_bytes(b"")
    elif what == "the list":
        (backup / "list.json").write_bytes(b"{")
    else:
        shutil.rmtree(backup)
    with pytest.raises(RollbackError, match=r"backups/2 .*is missing or damaged; nothing was touched"):
        make(root).roll_back()
    assert content(root) == after


class FullDisk(InPlace):
    """Has room for one file only."""

    def write(self, files: Sequence[Edited]) -> None:
        super().write(files[:1])
        raise OSError(28, "No space left on device", str(self.root / files[1].path))


def test_a_full_disk_in_the_middle_of_writing_loses_nothing(root: Path, tmp_path: Path) -> None:
    before = content(root)
    workspace = FullDisk(root, tmp_path / "state", None)
    mark = workspace.mark()
    files = [
        Edited(path=path, before=before[path], after=moved(before[path]), edits=1) for path in ("pkg/a.py", "pkg/b.py")
    ]
    with pytest.raises(OSError, match="No space left"):
        workspace.write(files)
    assert content(root) != before
    proof = workspace.restore(mark)
    assert content(root) == before
    assert proof.restored == ("pkg/a.py",)


def test_too_little_room_is_said_before_anything_is_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(root)
    usage = shutil.disk_usage(root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=100))
    with pytest.raises(MigrationError, match=r"has 100 bytes free and .* are needed; free some space"):
        list(make(root).apply())
    assert content(root) == before


def test_a_migration_is_gone_on_with_the_way_it_was_begun(tmp_path: Path) -> None:
    root = repository(tmp_path / "code")
    list(make(root).apply(["first"]))
    with pytest.raises(MigrationError, match=r"was begun with --in-place; go on with it, or take it back"):
        list(migration(root, recipe()).apply())
