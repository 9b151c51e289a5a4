"""Tests of carrel.source.files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from carrel.errors import SourceError
from carrel.source.files import SourceTree


def write(root: Path, *paths: str, **texts: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts.get(path, "x = 1\n"), encoding="utf-8")


def git(root: Path, *arguments: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", root, "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True,
                   capture_output=True, env=environment)  # fmt: skip


def paths(root: Path, **options: object) -> list[str]:
    return [file.path for file in SourceTree(root, **options).files()]  # type: ignore[arg-type]


@pytest.fixture(params=["git", "no git"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    root = tmp_path / "code"
    root.mkdir()
    if request.param == "git":
        git(root, "init", "-q")
    return root


def test_python_files_come_in_the_order_of_their_paths(tree):
    write(tree, "b.py", "a/c.py", "a/b.pyi", "readme.md", "a/data.json")
    assert paths(tree) == ["a/b.pyi", "a/c.py", "b.py"]
    assert SourceTree(tree).files()[2].size == 6


def test_other_files_can_be_asked_for(tree):
    write(tree, "a.py", "readme.md", "LICENSE")
    assert [file.path for file in SourceTree(tree).files(suffixes=("",))] == ["LICENSE", "a.py", "readme.md"]


def test_what_is_ignored_is_left_out(tree):
    write(tree, "a.py", "generated/b.py", "sub/c.py", "sub/keep.py", "sub/d_pb2.py")
    (tree / ".gitignore").write_text("/generated/\n*_pb2.py\n", encoding="utf-8")
    (tree / "sub" / ".gitignore").write_text("c.py\n", encoding="utf-8")
    assert paths(tree) == ["a.py", "sub/keep.py"]


def test_other_peoples_code_is_left_out(tree):
    write(tree, "a.py", "node_modules/x/setup.py", "venv/lib/b.py", "lib/site-packages/c.py", "__pycache__/d.py")
    assert paths(tree) == ["a.py"]


def test_excludes_match_paths_and_directories(tree):
    write(tree, "a.py", "tests/data/b.py", "tests/test_c.py", "app/migrations/d.py", "app/e_old.py")
    assert paths(tree, exclude=["tests/data", "migrations", "*_old.py"]) == ["a.py", "tests/test_c.py"]
    assert paths(tree, exclude=["tests/"]) == ["a.py", "app/e_old.py", "app/migrations/d.py"]


def test_links_that_lead_outside_are_not_followed(tree, tmp_path):
    write(tmp_path, "secret/s.py")
    write(tree, "a.py")
    (tree / "in.py").symlink_to("a.py")
    (tree / "out.py").symlink_to(tmp_path / "secret" / "s.py")
    (tree / "dangling.py").symlink_to("nowhere.py")
    (tree / "directory").symlink_to(tmp_path / "secret")
    (tree / "circle").symlink_to(tree)
    assert paths(tree) == ["a.py", "in.py"]


def test_a_pipe_is_not_waited_for(tree):
    os.mkfifo(tree / "pipe.py")
    assert paths(tree) == []


def test_names_that_are_not_utf_8_are_files_too(tree):
    name = os.fsdecode(b"caf\xe9.py")
    (tree / name).write_text("x = 1\n", encoding="utf-8")
    (file,) = SourceTree(tree).files()
    assert SourceTree(tree).read(file.path) == b"x = 1\n"


def test_a_file_that_went_away_is_no_crash(tree):
    with pytest.raises(SourceError, match="cannot be read"):
        SourceTree(tree).read("gone.py")


def test_a_tracked_file_in_a_hidden_directory_belongs_to_the_code(tmp_path):
    git(tmp_path, "init", "-q")
    write(tmp_path, ".github/run.py")
    assert paths(tmp_path) == [".github/run.py"]


def test_hidden_directories_are_left_out_where_there_is_no_git(tmp_path):
    write(tmp_path, "a.py", ".cache/b.py")
    assert paths(tmp_path) == ["a.py"]


def test_a_tracked_file_that_was_deleted_is_gone(tmp_path):
    git(tmp_path, "init", "-q")
    write(tmp_path, "a.py", "b.py")
    git(tmp_path, "add", ".")
    (tmp_path / "a.py").unlink()
    assert paths(tmp_path) == ["b.py"]


def test_a_root_must_be_a_directory(tmp_path):
    with pytest.raises(SourceError, match="is not a directory"):
        SourceTree(tmp_path / "nowhere")


def test_a_directory_that_git_ignores_can_be_asked_for(tmp_path):
    git(tmp_path, "init", "-q")
    write(tmp_path, "build/code/a.py")
    (tmp_path / ".gitignore").write_text("build/\n", encoding="utf-8")
    assert paths(tmp_path) == []
    assert paths(tmp_path / "build" / "code") == ["a.py"]
