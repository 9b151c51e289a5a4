"""A code base now and at a revision."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.recipe import TreeRule
from carrel.migrate.snapshot import Snapshot, snapshot_at
from tests.migrate.project import commit, repository, write

FILES = {
    "a.py": "import b\nfrom c import x\n",
    "b.py": "import a\n",
    "c.py": "x = 1\n",
    "gone.py": "y = 2\n",
    "left/out.py": "import nothing_here\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "code", FILES)


def both(root: Path) -> tuple[Snapshot, Snapshot]:
    return snapshot_at(root, TreeRule(exclude=("left",)), "HEAD", jobs=1, cache=False)


def test_without_changes_both_are_the_same(root: Path) -> None:
    before, now = both(root)
    assert before.outlines == now.outlines
    assert sorted(now.outlines) == ["a.py", "b.py", "c.py", "gone.py"]
    assert not now.changed
    assert before.cycles == now.cycles == (frozenset({"a.py", "b.py"}),)


def test_changed_new_and_deleted_files_are_told_apart(root: Path) -> None:
    (root / "gone.py").unlink()
    write(root, {"c.py": "z = 1\n", "new.py": "import c\n"})
    before, now = both(root)
    assert now.changed == {"c.py", "gone.py", "new.py"}
    assert (before.read("c.py"), now.read("c.py")) == (b"x = 1\n", b"z = 1\n")
    assert (before.read("new.py"), now.read("gone.py")) == (b"", b"")
    assert before.read("a.py") == now.read("a.py")
    assert not before.missing
    assert now.missing == {("a.py", "c.x"): 2}


def test_what_is_committed_later_is_a_change_too(root: Path) -> None:
    write(root, {"c.py": "z = 1\n"})
    commit(root)
    before, now = snapshot_at(root, TreeRule(), "HEAD~1", jobs=1, cache=False)
    assert now.changed == {"c.py"}
    assert b"x" in before.read("c.py")


def test_a_directory_below_the_repository_sees_its_own_files(root: Path) -> None:
    write(root, {"left/out.py": "import other\n", "left/other.py": "", "c.py": ""})
    before, now = snapshot_at(root / "left", TreeRule(), "HEAD", jobs=1, cache=False)
    assert sorted(before.outlines) == ["out.py"]
    assert now.changed == {"other.py", "out.py"}
    assert before.read("out.py") == b"import nothing_here\n"


def test_a_module_that_answers_for_itself_has_every_name(root: Path) -> None:
    write(root, {"c.py": "def __getattr__(name): ...\n"})
    _, now = both(root)
    assert not now.missing


@pytest.mark.parametrize(
    "line",
    [
        "import os.nothing",
        "from . import c",
        "from c import *",
        "import c.x",
        "from pkg import inner",
        "import pkg.inner",
    ],
)
def test_only_names_that_should_be_here_can_be_missing(tmp_path: Path, line: str) -> None:
    files = {"c.py": "", "pkg/inner.py": "", "app.py": f"{line}\n"}
    _, now = both(repository(tmp_path / "other", files))
    wanted = {("app.py", "c.x"): 1} if line == "import c.x" else {}
    assert now.missing == wanted


def test_what_cannot_be_compared_with_is_said(root: Path, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="no revision 'nowhere'"):
        snapshot_at(root, TreeRule(), "nowhere")
    with pytest.raises(MigrationError, match="no git repository"):
        snapshot_at(tmp_path, TreeRule(), "HEAD")
