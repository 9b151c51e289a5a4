"""A migration that is killed, at every step of its journal and between them, goes on to the same end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from carrel.migrate.checkout import Checkout
from carrel.migrate.git import Git
from carrel.migrate.journal import Journal
from carrel.migrate.phase import PhaseReverted
from carrel.migrate.records import Record
from carrel.migrate.runner import Migration
from tests.migrate.project import PYTHON, content, gate, git, migration, recipe, repository, worktree_of, write

KEPT = gate("ok", "test -f pkg/a.py")
# The second phase is taken back: pkg/b.py is not as it was.
CONDEMNED = gate("b as before", "grep -q 'pkg.old' pkg/b.py")
# Between the records there are hundreds of places to be killed at: every eleventh, or those that are asked for.
STRIDE = int(os.environ.get("CARREL_KILL_STRIDE", "11"))
Work = Callable[[Migration], object]


def apply(migration: Migration) -> object:
    return list(migration.apply())


def roll_back(migration: Migration) -> object:
    return migration.roll_back("first")


def roll_back_all(migration: Migration) -> object:
    return migration.roll_back()


class Countdown:
    """Kills this process, as `kill -9` does, when it has been called so many times."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def killed(work: Work, make: Callable[[], Migration], calls: int, *, everywhere: bool = False) -> bool:
    """Do the work in a process of its own, killed before and after each record; gives whether it was killed.

    With `everywhere`, also before and after each git command and each replaced file.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0
        return False
    code = 1
    try:
        count = Countdown(calls)
        append, run, replace = Journal.append, Git._run, Path.replace

        def counted_append(self: Journal, record: Record) -> None:
            count()
            append(self, record)
            count()

        def counted_run(self: Git, *arguments: object) -> object:
            count()
            ended = run(self, *arguments)  # type: ignore[arg-type]
            count()
            return ended

        def counted_replace(self: Path, target: Path) -> Path:
            count()
            result = replace(self, target)
            count()
            return result

        Journal.append = counted_append  # type: ignore[method-assign]
        if everywhere:
            Git._run = counted_run  # type: ignore[assignment, method-assign]
            Path.replace = counted_replace  # type: ignore[method-assign, assignment]
        work(make())
        code = 0
    finally:
        os._exit(code)


def end_state(root: Path, *, in_place: bool) -> dict[str, object]:
    """Everything that must be the same however often the migration was killed."""
    history = Checkout.of(root).journal("old to new").history()
    where = root if in_place else worktree_of(root)
    state: dict[str, object] = {
        "files": content(where) if where.exists() else None,
        "checkout": content(root),
        "applied": [(one.name, one.written.files, one.written.edits) for one in history.applied],
        "unfinished": (history.open, history.rollback, history.over),
    }
    if not in_place:
        heads = git(root, "for-each-ref", "--format=%(refname) %(tree)", "refs/heads")
        state["branches"] = heads
        state["log"] = git(root, "log", "--topo-order", "--branches", "--format=%T %s %b")
        state["worktrees"] = git(root, "worktree", "list", "--porcelain").count("worktree ")
        if where.exists():
            state["status"] = git(where, "status", "--short")
    return state


CASES = [
    pytest.param(apply, None, KEPT, id="kept"),
    pytest.param(apply, None, CONDEMNED, id="taken-back"),
    pytest.param(roll_back, apply, KEPT, id="rolled-back"),
    pytest.param(roll_back_all, apply, KEPT, id="rolled-back-whole"),
]


class Case:
    def __init__(self, directory: Path, work: Work, before: Work | None, gates: str, *, in_place: bool) -> None:
        self.directory = directory
        self.work = work
        self.before = before
        self.recipe = recipe(gates=gates)
        self.in_place = in_place
        self.number = 0

    def begin(self) -> Path:
        self.number += 1
        root = repository(self.directory / str(self.number) / "code")
        if self.before is not None:
            self.before(self.migration(root))
        return root

    def migration(self, root: Path) -> Migration:
        return migration(root, self.recipe, in_place=self.in_place)

    def wanted(self) -> dict[str, object]:
        root = self.begin()
        self.work(self.migration(root))
        return end_state(root, in_place=self.in_place)

    def killed_at(self, calls: int, *, everywhere: bool = False) -> dict[str, object] | None:
        """The end state after one kill; `None` when the work is over before that many calls."""
        root = self.begin()
        if not killed(self.work, lambda: self.migration(root), calls, everywhere=everywhere):
            return None
        if Checkout.of(root).journal("old to new").history().opening is not None or self.before is None:
            self.work(self.migration(root))
        return end_state(root, in_place=self.in_place)


@pytest.mark.parametrize("in_place", [False, True], ids=["worktree", "in-place"])
@pytest.mark.parametrize(("work", "before", "gates"), CASES)
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_is_not(
    tmp_path: Path, work: Work, before: Work | None, gates: str, in_place: bool
) -> None:
    case = Case(tmp_path, work, before, gates, in_place=in_place)
    wanted = case.wanted()
    root = case.begin()
    kills = 0
    # After one record, before the second, after it, before the third, and so on: to write is begun anew with two.
    while killed(work, lambda: case.migration(root), 1 + kills % 4):
        kills += 1
        assert kills < 100
        if before is not None and Checkout.of(root).journal("old to new").history().opening is None:
            break
    assert kills
    assert end_state(root, in_place=in_place) == wanted


@pytest.mark.parametrize("in_place", [False, True], ids=["worktree", "in-place"])
@pytest.mark.parametrize("calls", [9, 10], ids=["before writing", "with everything written and nothing said"])
def test_what_a_killed_phase_has_written_is_undone_and_written_again(
    tmp_path: Path, in_place: bool, calls: int
) -> None:
    case = Case(tmp_path, apply, None, KEPT, in_place=in_place)
    assert case.killed_at(calls) == case.wanted()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("in_place", [False, True], ids=["worktree", "in-place"])
@pytest.mark.parametrize(("work", "before", "gates"), CASES)
@pytest.mark.parametrize("everywhere", [False, True], ids=["records", "everywhere"])
def test_a_run_may_be_killed_anywhere(
    tmp_path: Path, work: Work, before: Work | None, gates: str, in_place: bool, everywhere: bool
) -> None:
    case = Case(tmp_path, work, before, gates, in_place=in_place)
    wanted = case.wanted()
    calls = 0
    while (found := case.killed_at(calls, everywhere=everywhere)) is not None:
        assert found == wanted, f"killed after {calls} calls"
        calls += STRIDE if everywhere else 1
    assert calls > 3


def test_a_gate_command_ends_with_the_process_that_ran_it(tmp_path: Path) -> None:
    root = repository(tmp_path / "code")
    write(
        tmp_path, {"wait.py": f"import os, time\nopen(r'{tmp_path}/pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"}
    )
    long = recipe(gates=gate("long", f"{PYTHON} {tmp_path}/wait.py & echo $! > {tmp_path}/child; wait"))
    child = os.fork()
    if not child:
        try:
            list(migration(root, long).apply())
        finally:
            os._exit(1)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        pass
    gate_process = int((tmp_path / "pid").read_text())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while _runs(gate_process):
        pass
    outcomes = list(migration(root, recipe(gates=KEPT)).apply())
    assert not any(isinstance(one, PhaseReverted) for one in outcomes)


def _runs(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
