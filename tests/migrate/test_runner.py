"""A whole migration: phases in order, gates that take back, names and modes that must fit."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from carrel.errors import GateFailedError, MigrationError, RollbackError
from carrel.migrate.checkout import Checkout
from carrel.migrate.outcome import Edited, FileOutcome, LeftReference, Refused
from carrel.migrate.phase import PhaseApplied, PhaseReverted
from carrel.migrate.recipe import Recipe
from carrel.migrate.references import Reference
from tests.migrate.project import PYTHON, content, gate, git, migration, recipe, repository, rewrite, worktree_of, write

TESTS = {
    "tests/test_a.py": "from pkg import a\n\n\ndef test_made():\n    assert a.made\n",
    "tests/test_b.py": "from pkg import b\n\n\ndef test_old():\n    assert type(b.made).__name__ == 'Old'\n"
    "\n\ndef test_fails_anyhow():\n    assert False\n",
}
SUITE = gate("suite", f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {PYTHON} -m pytest -q -p no:cacheprovider tests")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "code")


def reverted(root: Path, recipe: Recipe, **options: object) -> PhaseReverted:
    """The phase that is taken back; the checkout and the branch are as they were before it."""
    outcomes = list(migration(root, recipe, **options).apply())  # type: ignore[arg-type]
    last = outcomes[-1]
    assert isinstance(last, PhaseReverted)
    kept = [one.mark.at for one in outcomes if isinstance(one, PhaseApplied)]
    assert git(root, "rev-parse", "carrel/old-to-new") == (kept or [git(root, "rev-parse", "main")])[-1]
    assert git(worktree_of(root), "status", "--porcelain") == ""
    return last


def test_a_lost_test_takes_its_phase_back_with_its_id_and_the_one_before_stays(root: Path) -> None:
    write(root, TESTS)
    git(root, "add", "-A")
    git(root, "-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "Test")
    outcomes = list(migration(root, recipe(gates=SUITE)).apply())
    first, second = outcomes
    assert isinstance(first, PhaseApplied)
    assert first.notes[0] == "suite: not judged, because they failed before too: tests/test_b.py::test_fails_anyhow"
    assert isinstance(second, PhaseReverted)
    (fired,) = second.fired
    assert (fired.trigger, fired.gate, fired.details) == ("failed_test", "suite", ("tests/test_b.py::test_old: fails",))
    tree = content(worktree_of(root))
    assert tree["pkg/b.py"] == content(root)["pkg/b.py"]
    assert second.proof.fingerprint == first.mark.fingerprint
    assert second.proof.tree == git(root, "rev-parse", "carrel/old-to-new^{tree}")
    assert second.proof.restored == ("pkg/b.py",)


def broken(root: Path, references: Sequence[Reference], every: Sequence[Reference]) -> Iterator[FileOutcome]:
    for outcome in rewrite(root, references):
        assert isinstance(outcome, Edited)
        yield Edited(path=outcome.path, before=outcome.before, after=outcome.after + b"(\n", edits=1)


def cyclic(root: Path, references: Sequence[Reference], every: Sequence[Reference]) -> Iterator[FileOutcome]:
    for outcome in rewrite(root, references):
        assert isinstance(outcome, Edited)
        text = outcome.after + (b"import pkg.b\n" if outcome.path == "pkg/a.py" else b"import pkg.a\n")
        yield Edited(path=outcome.path, before=outcome.before, after=text, edits=1)


def forgetful(root: Path, references: Sequence[Reference], every: Sequence[Reference]) -> Iterator[FileOutcome]:
    for outcome in rewrite(root, references):
        assert isinstance(outcome, Edited)
        yield Edited(path=outcome.path, before=outcome.before, after=b"# Old\n" + outcome.after, edits=1)


def test_a_file_that_cannot_be_compiled_takes_the_phase_back(root: Path) -> None:
    (fired,) = reverted(root, recipe(), rewrite=broken).fired
    assert (fired.trigger, fired.details) == ("unparsable", ("pkg/a.py:4: '(' was never closed",))


def test_a_new_import_cycle_takes_the_phase_back(root: Path) -> None:
    (fired,) = reverted(root, recipe(), rewrite=cyclic).fired
    assert (fired.trigger, fired.details) == ("import_cycle", ("pkg/a.py <-> pkg/b.py",))


def test_a_reference_that_nobody_reported_takes_the_phase_back(root: Path) -> None:
    (fired,) = reverted(root, recipe(), rewrite=forgetful).fired
    assert (fired.trigger, fired.details) == ("references", ("pkg/a.py:1:3: name Old",))


def test_a_trigger_that_the_recipe_leaves_out_takes_nothing_back(root: Path) -> None:
    outcomes = list(migration(root, recipe(triggers="triggers = []"), rewrite=broken).apply())
    assert all(isinstance(one, PhaseApplied) for one in outcomes)


def test_a_command_that_fails_now_takes_the_phase_back(root: Path) -> None:
    (fired,) = reverted(root, recipe(gates=gate("b", "grep -q pkg.old pkg/b.py"))).fired
    assert (fired.trigger, fired.gate) == ("failed_command", "b")
    assert fired.message == "it succeeded before and exits with 1 now"


def test_more_time_takes_the_phase_back(root: Path) -> None:
    slow = recipe(
        gates=gate("time", "grep -q pkg.old pkg/a.py || sleep 1.5"),
        triggers='triggers = ["slower"]\nslower_at_most = 1.2',
    )
    (fired,) = reverted(root, slow).fired
    assert fired.trigger == "slower"


def test_more_memory_takes_the_phase_back(root: Path) -> None:
    command = f"""{PYTHON} -c 'x = bytearray(0 if "Old" in open("pkg/a.py").read() else 90_000_000)'"""
    (fired,) = reverted(root, recipe(gates=gate("memory", command), triggers='triggers = ["memory"]')).fired
    assert fired.trigger == "memory"


def test_a_phase_that_was_taken_back_can_be_tried_again(root: Path) -> None:
    reverted(root, recipe(), rewrite=broken)
    assert len(list(migration(root, recipe()).apply())) == 2


def test_what_is_left_on_purpose_is_reported_and_no_reason(root: Path) -> None:
    def careful(root: Path, references: Sequence[Reference], every: Sequence[Reference]) -> Iterator[FileOutcome]:
        if references[0].path == "pkg/b.py":
            yield Refused(path="pkg/b.py", reason="too odd", references=tuple(references))
            return
        for outcome in rewrite(root, references):
            assert isinstance(outcome, Edited)
            left = (LeftReference(reference=references[0], reason="look at it"),)
            yield Edited(path=outcome.path, before=outcome.before, after=b"# Old\n" + outcome.after, edits=1, left=left)

    first, second = migration(root, recipe(), rewrite=careful).apply()
    assert isinstance(first, PhaseApplied)
    assert [(one.path, one.line, one.reason) for one in first.left] == [("pkg/a.py", 1, "look at it")]
    assert isinstance(second, PhaseApplied)
    assert (second.files, second.left[0].reason, second.left[0].references) == (0, "too odd", 2)
    assert second.mark == first.mark


def test_a_broken_gate_is_found_before_anything_is_begun(root: Path) -> None:
    with pytest.raises(GateFailedError, match="gate 'bad': exits with 127 before anything has changed"):
        list(migration(root, recipe(gates=gate("bad", "no-such-command"))).apply())
    assert git(root, "rev-parse", "carrel/old-to-new") == git(root, "rev-parse", "main")
    # Repaired, it goes on.
    assert len(list(migration(root, recipe(gates=gate("bad", "true"))).apply())) == 2


def test_without_gates_nothing_is_measured(root: Path) -> None:
    (outcome,) = migration(root, recipe(gates=gate("bad", "exit 1"))).apply(["first"], gated=False)
    assert isinstance(outcome, PhaseApplied)
    assert not outcome.gated
    assert not Checkout.of(root).journal("old to new").history().baseline


def test_the_baseline_is_measured_once(root: Path) -> None:
    counted = recipe(gates=gate("count", "echo x >> ../count"))
    list(migration(root, counted).apply(["first"]))
    list(migration(root, counted).apply(["second"]))
    assert (root.parent / "count").read_text() == "x\n" * 3


def test_a_command_that_came_later_has_a_later_baseline_and_that_is_said(root: Path) -> None:
    list(migration(root, recipe()).apply(["first"]))
    (outcome,) = migration(root, recipe(gates=gate("late", "true"))).apply()
    assert isinstance(outcome, PhaseApplied)
    assert outcome.notes[-1].startswith("late: its baseline was taken after the phases first")


def test_a_command_is_run_after_the_phases_that_it_names(root: Path) -> None:
    only = gate("only second", "echo x >> ../count") + 'phases = ["second"]\n'
    first, second = migration(root, recipe(gates=only)).apply()
    assert isinstance(first, PhaseApplied)
    assert isinstance(second, PhaseApplied)
    assert [len(first.comparisons), len(second.comparisons)] == [0, 1]
    assert first.notes == ("no gate command was run: the recipe has none for this phase",)
    assert (root.parent / "count").read_text() == "x\n" * 2


def test_files_that_a_gate_changes_are_put_back_and_named(root: Path) -> None:
    outcomes = list(migration(root, recipe(gates=gate("rude", "echo x >> docs/read.md"))).apply())
    first = outcomes[0]
    assert isinstance(first, PhaseApplied)
    assert first.notes[-1] == "the gate commands changed files of the code base; put back: docs/read.md"
    assert content(worktree_of(root))["docs/read.md"] == b"Old things\n"
    assert git(root, "diff", "--name-only", "main", "carrel/old-to-new").splitlines() == ["pkg/a.py", "pkg/b.py"]


def test_phases_are_rolled_back_to_one_or_whole(root: Path) -> None:
    first, _ = migration(root, recipe()).apply()
    assert isinstance(first, PhaseApplied)
    done = migration(root, recipe()).roll_back("first")
    assert git(root, "rev-parse", "carrel/old-to-new") == first.mark.at
    assert done.proof.fingerprint == first.mark.fingerprint
    with pytest.raises(RollbackError, match="the phase 'second' is not applied; applied are: first"):
        migration(root, recipe()).roll_back("second")
    migration(root, recipe()).roll_back()
    with pytest.raises(RollbackError, match="there is nothing to take back"):
        migration(root, recipe()).roll_back()
    assert len(list(migration(root, recipe()).apply())) == 2


def test_a_preview_writes_nothing_and_follows_the_branch(root: Path) -> None:
    whole = b"".join(migration(root, recipe()).preview())
    assert whole.count(b"+from pkg.new import New") == 2
    assert not (root / ".git" / "carrel").exists()
    list(migration(root, recipe()).apply(["first"]))
    rest = b"".join(migration(root, recipe()).preview())
    assert rest.startswith(b"--- a/pkg/b.py\n+++ b/pkg/b.py\n")
    assert b"a.py" not in rest


def test_a_phase_that_the_recipe_does_not_have_is_refused(root: Path) -> None:
    with pytest.raises(MigrationError, match="the recipe has no phase 'third'; it has: first, second"):
        list(migration(root, recipe()).apply(["third"]))


def test_recipes_whose_names_are_too_like_are_not_mixed_up(root: Path) -> None:
    list(migration(root, recipe()).apply(["first"]))
    with pytest.raises(MigrationError, match="under a name too like 'old-to-new'"):
        list(migration(root, recipe(name="old-to-new")).apply())


def test_two_runs_at_a_time_are_refused(root: Path) -> None:
    ours = migration(root, recipe()).apply()
    next(ours)
    with pytest.raises(MigrationError, match=rf"another migration runs in this repository \(process {os.getpid()}\)"):
        migration(root, recipe(name="another")).roll_back()
    assert len(list(ours)) == 1


def test_a_phase_that_was_interrupted_and_is_not_asked_for_is_taken_back(root: Path) -> None:
    child = os.fork()
    if not child:
        try:
            killing = gate("kill", f"test ! -f ../die || kill -9 {os.getpid()}")
            list(migration(root, recipe(gates=killing)).apply(["first"]))
            (root.parent / "die").touch()
            list(migration(root, recipe(gates=killing)).apply(["second"]))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert Checkout.of(root).journal("old to new").history().open is not None
    again, fresh = migration(root, recipe()).apply(["first"])
    assert isinstance(again, PhaseReverted)
    assert again.fired[0].trigger == "interrupted"
    assert isinstance(fresh, PhaseApplied)
    assert (fresh.phase, fresh.files) == ("first", 0)
    assert content(worktree_of(root))["pkg/b.py"] == content(root)["pkg/b.py"]
