"""`carrel migrate apply`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from carrel.errors import DirtyWorktreeError, InputError, MigrationError
from tests.cli.migrate.conftest import Migrate
from tests.migrate.project import content, git, worktree_of, write


def test_all_phases_are_applied_on_the_branch(migrate: Migrate, root: Path) -> None:
    before = content(root)
    ended = migrate("apply")
    assert ended.exit_code == 0, ended.output
    lines = ended.stdout.splitlines()
    assert lines[0] == "phase first: kept; 3 edits in 1 file"
    assert lines[1].startswith("  ok: ")
    assert lines[-1] == f"in {worktree_of(root)}; take it over with: git merge carrel/old-to-new"
    assert content(root) == before
    git(root, "merge", "-q", "carrel/old-to-new")
    assert content(root)["pkg/b.py"] == b"from pkg.new import New  # why\r\nmade = New()\r\n"


def test_applied_phases_are_said_to_be_so(migrate: Migrate) -> None:
    migrate("apply")
    ended = migrate("apply")
    assert ended.exit_code == 0
    assert ended.stdout.startswith("every phase is applied already\n")


def test_one_phase_is_applied_without_gates(migrate: Migrate, root: Path) -> None:
    ended = migrate("apply", "--phase", "second", "--no-gates")
    assert ended.exit_code == 0
    assert ended.stdout.splitlines()[0] == "phase second: written, and not judged by any gate; 3 edits in 1 file"
    assert content(worktree_of(root))["pkg/a.py"] == content(root)["pkg/a.py"]


def test_a_phase_that_is_taken_back_exits_with_1_and_says_why(migrate: Migrate, root: Path) -> None:
    (root.parent / "strict").touch()
    ended = migrate("apply")
    assert ended.exit_code == 1
    assert (
        "phase second: TAKEN BACK\n  failed_command, gate ok: it succeeded before and exits with 1 now\n"
        in ended.stdout
    )
    assert "fingerprint" in ended.stdout
    assert content(worktree_of(root))["pkg/b.py"] == content(root)["pkg/b.py"]


def test_a_dry_run_shows_a_diff_that_git_can_apply_and_writes_nothing(migrate: Migrate, root: Path) -> None:
    before, refs = content(root), git(root, "for-each-ref")
    ended = migrate("apply", "--dry-run")
    assert ended.exit_code == 0
    assert content(root) == before
    assert git(root, "for-each-ref") == refs
    assert not (root / ".git" / "carrel").exists()
    (root.parent / "diff").write_bytes(ended.stdout_bytes)
    git(root, "apply", "../diff")
    assert content(root)["pkg/b.py"] == b"from pkg.new import New  # why\r\nmade = New()\r\n"


def test_json_has_every_phase(migrate: Migrate) -> None:
    found = json.loads(migrate("apply", "--format", "json").stdout)
    assert found["schema_version"] == 1
    assert [(one["outcome"], one["phase"], one["edits"]) for one in found["phases"]] == [
        ("applied", "first", 3),
        ("applied", "second", 3),
    ]


def test_the_result_is_written_to_a_file(migrate: Migrate, root: Path) -> None:
    ended = migrate("apply", "--output", str(root.parent / "result.txt"))
    assert ended.stdout == ""
    assert (root.parent / "result.txt").read_text().startswith("phase first: kept; 3 edits in 1 file\n")


def test_in_place_edits_the_checkout(migrate: Migrate, root: Path) -> None:
    ended = migrate("apply", "--in-place")
    assert ended.exit_code == 0, ended.output
    assert content(root)["pkg/a.py"].startswith(b"from pkg.new import New\n")
    assert "git merge" not in ended.stdout


def test_the_worktree_is_where_it_is_asked_for(migrate: Migrate, root: Path) -> None:
    ended = migrate("apply", "--worktree", str(root.parent / "elsewhere"))
    assert ended.exit_code == 0, ended.output
    assert (root.parent / "elsewhere" / "pkg" / "a.py").read_bytes().startswith(b"from pkg.new")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--no-gates",), "--no-gates: cannot go with all phases"),
        (("--phase", "all", "--no-gates"), "--no-gates: cannot go with all phases"),
        (("--worktree", "x", "--in-place"), "--worktree: cannot go with --in-place"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    migrate: Migrate, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        raise _error(migrate("apply", *options))
    assert str(caught.value).startswith(message)


def test_an_unknown_phase_and_a_dirty_checkout_are_refused(migrate: Migrate, root: Path) -> None:
    with pytest.raises(MigrationError, match="the recipe has no phase 'third'; it has: first, second"):
        raise _error(migrate("apply", "--phase", "third"))
    write(root, {"pkg/a.py": "changed = 1\n"})
    with pytest.raises(DirtyWorktreeError, match=r"has changes in pkg/a.py; .*git stash"):
        raise _error(migrate("apply"))


def _error(result: object) -> BaseException:
    error = getattr(result, "exception", None)
    assert isinstance(error, BaseException)
    return error
