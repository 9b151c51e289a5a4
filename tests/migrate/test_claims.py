"""Tests of carrel.migrate.claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.claims import CommitChange, check_claims, claims_of
from tests.migrate.project import commit, git
from tests.migrate.test_burn_down import history
from tests.migrate.tree import recipe


def change(
    message: str, *, files: int = 2, before: int = 5, after: int = 0, deleted: tuple[str, ...] = ()
) -> CommitChange:
    return CommitChange(
        commit="c",
        message=message,
        files=tuple(f"m{n}.py" for n in range(files)),
        deleted=deleted,
        references_before=before,
        references_after=after,
    )


@pytest.mark.parametrize(
    ("made", "said", "fact", "holds"),
    [
        (change("Migrate 2 files"), "2 files", "2 files changed", True),
        (change("Migrate 154 files", files=67), "154 files", "67 files changed", False),
        (change("Replace 5 imports"), "5 imports", "5 went, 0 references are left", True),
        (change("Moved 1,200 old references"), "1,200 old references", "5 went, 0 references are left", False),
        (change("Migration complete"), "complete", "no reference is left", True),
        (change("Fully migrated", after=3), "Fully", "3 references are left", False),
        (change("Migrate all the imports", after=1), "all the imports", "1 reference is left", False),
        (change("Remove engine.py", deleted=("pkg/engine.py",)), "Remove engine.py", "engine.py was deleted", True),
        (change("Remove engine.py"), "Remove engine.py", "engine.py was not deleted", False),
    ],
)
def test_a_claim_is_held_against_the_change(made: CommitChange, said: str, fact: str, holds: bool):
    (claim,) = claims_of(made)
    assert (claim.said, claim.fact, claim.holds) == (said, fact, holds)


def test_complete_without_a_python_file_is_told():
    made = CommitChange(
        commit="c",
        message="Migration 100%\n\nDone.",
        files=("a.md",),
        deleted=(),
        references_before=4,
        references_after=4,
    )
    (claim,) = claims_of(made)
    assert claim.fact == "4 references are left, and no Python file changed"
    assert claim.subject == "Migration 100%"


@pytest.mark.parametrize(
    "message",
    ["Fix 3 files", "Migrate the engine", "Add a complete list", "Migrate to v2.3 files", "Move issue #12 uses"],
)
def test_what_claims_nothing_that_can_be_checked_is_left_alone(message: str):
    assert list(claims_of(change(message))) == []


def test_claims_are_checked_over_the_history(tmp_path: Path):
    root = history(tmp_path / "code", [2, 1])
    (root / "lib" / "m0.py").unlink()
    commit(root, "Migration complete: 1 file\n\nRemoved lib/m0.py")
    claims = check_claims(root, recipe(), jobs=1)
    assert [(one.said, one.holds) for one in claims] == [
        ("1 file", True),
        ("complete", True),
        ("Removed lib/m0.py", True),
    ]
    head = git(root, "rev-parse", "HEAD").strip()
    assert {one.commit for one in claims} == {head}
    assert check_claims(root, recipe(), since=head, jobs=1) == ()
    with pytest.raises(MigrationError):
        check_claims(root, recipe(), since="no-such-commit")


def test_a_first_commit_has_no_references_before(tmp_path: Path):
    root = history(tmp_path / "code", [2])
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    git(root, *who, "commit", "-q", "--amend", "-m", "Migrate everything, all imports")
    (claim,) = check_claims(root, recipe(), jobs=1)
    assert (claim.fact, claim.holds) == ("2 references are left", False)
