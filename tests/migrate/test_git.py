"""Git, run without surprises."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.git import Git, clean_environment
from tests.migrate.project import git, repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "code")


def test_what_points_elsewhere_is_left_out_and_who_the_user_is_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS", "GIT_TRACE"):
        monkeypatch.setenv(name, "x")
    kept = {"GIT_AUTHOR_NAME": "Ann", "GIT_CONFIG_GLOBAL": "/c", "GIT_CONFIG_KEY_0": "k", "HOME": "/home"}
    for name, value in kept.items():
        monkeypatch.setenv(name, value)
    found = clean_environment()
    assert {name: found[name] for name in kept} == kept
    assert not {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS", "GIT_TRACE"} & set(found)
    assert found["LC_ALL"] == "C"


def test_output_comes_as_bytes_a_line_or_paths(root: Path) -> None:
    (root / "näme.py").write_text("")
    here = Git(root)
    assert here.run("rev-parse", "--show-prefix") == b"\n"
    assert here.line("branch", "--show-current") == "main"
    assert here.paths("ls-files", "-z", "--others") == ["näme.py"]
    assert here.asked("rev-parse", "--verify", "--quiet", "nothing") is None
    assert here.asked("config", "core.bare") == "false"


def test_a_failure_is_told_in_gits_own_words(root: Path) -> None:
    with pytest.raises(MigrationError, match=r"git checkout failed in .*code: .*did not match any file"):
        Git(root).run("checkout", "nothing")


def test_a_locked_index_is_told_with_what_to_do(root: Path) -> None:
    (root / ".git" / "index.lock").touch()
    with pytest.raises(MigrationError, match=r"If no git runs in .*, remove that file and give the same command again"):
        Git(root).run("add", "-A")


def test_missing_directories_and_a_missing_git_are_told_apart(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MigrationError, match="is not a directory; give --root"):
        Git(root / "nothing").run("status")
    with pytest.raises(MigrationError, match="is not a directory"):
        Git(root / "pkg" / "a.py").run("status")
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(MigrationError, match="git is not installed; install it, or use --in-place"):
        Git(root).run("status")


def test_no_hook_runs(root: Path) -> None:
    hook = root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    Git(root).run("checkout", "-q", "-b", "other")
    assert not (root / "hooked").exists()
    git(root, "checkout", "-q", "main")
    assert (root / "hooked").exists()
