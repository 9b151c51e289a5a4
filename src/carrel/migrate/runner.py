"""Applies the phases of a recipe, and takes them back: under a lock, from wherever the last process stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from carrel.errors import MigrationError, RollbackError
from carrel.migrate.checkout import Checkout
from carrel.migrate.diff import unified_diff
from carrel.migrate.ledger import Ledger
from carrel.migrate.lock import locked
from carrel.migrate.opening import open_workspace
from carrel.migrate.phase import PhaseOutcome, PhaseReverted, PhaseRun, Rewrite, edited_files
from carrel.migrate.phases import REST, phase_names
from carrel.migrate.recipe import Recipe
from carrel.migrate.records import RollbackDone
from carrel.migrate.rollback import clear_up, roll_back
from carrel.migrate.trial import Find, Trial
from carrel.migrate.workspace import Workspace

__all__ = ["Migration"]


def _quiet(_step: str) -> None:
    return


class Migration:
    """One recipe on the code base at `root`.

    Phases become commits on the branch `carrel/<recipe>` in a worktree at `place`, beside the checkout when it is not
    given, or, with `in_place`, changes of the checkout itself. `find` gives the references below a directory and
    `rewrite` what becomes of files; `progress` is told what is being done.
    """

    def __init__(
        self,
        recipe: Recipe,
        root: Path,
        *,
        find: Find,
        rewrite: Rewrite,
        in_place: bool = False,
        place: Path | None = None,
        progress: Callable[[str], None] = _quiet,
    ) -> None:
        self._recipe = recipe
        self._root = root
        self._find = find
        self._rewrite = rewrite
        self._in_place = in_place
        self._place = place
        self._progress = progress

    @property
    def phases(self) -> tuple[str, ...]:
        """The names of all phases, in order."""
        return phase_names(self._recipe)

    @property
    def branch(self) -> str:
        """The branch that the phases are on; empty in place, and before the first is begun."""
        opening = Checkout.of(self._root).journal(self._recipe.name).history().opening
        return opening.branch if opening is not None else ""

    @property
    def place(self) -> Path | None:
        """The directory that the phases are applied in; `None` before the first is begun."""
        opening = Checkout.of(self._root).journal(self._recipe.name).history().opening
        return Path(opening.place) if opening is not None else None

    def apply(self, phases: Sequence[str] = (), *, gated: bool = True) -> Iterator[PhaseOutcome]:
        """Apply phases in the order given, all that are not applied yet by default; ends after one that is taken back.

        What an earlier process left unfinished is finished or taken back first. Raises `MigrationError` when it cannot
        begin or go on; then the same call goes on later.
        """
        self._check_names(phases)
        with self._session() as (checkout, ledger):
            workspace = self._workspace(checkout, ledger)
            if ledger.history.rollback is not None:
                roll_back(workspace, ledger, ledger.history.rollback.to, progress=self._progress)
            if clear_up(workspace, ledger):
                workspace = self._workspace(checkout, ledger)
            wanted = phases or [one for one in self.phases if not ledger.history.is_applied(one)]
            run = self._run(checkout, workspace, ledger)
            opened = ledger.history.open
            if opened is not None and opened.name not in wanted:
                yield run.take_back()
            elif opened is not None:
                wanted = [opened.name, *(one for one in wanted if one != opened.name)]
            for phase in wanted:
                outcome = run.carry_out(phase, gated=gated)
                yield outcome
                if isinstance(outcome, PhaseReverted):
                    return

    def roll_back(self, to: str = "", *, force: bool = False) -> RollbackDone:
        """Take back every phase after `to`, or everything, and prove that the code base is as it was then.

        With `force`, changes that are not the migration's and in the way are set aside; otherwise they are refused.
        """
        with self._session() as (checkout, ledger):
            opening = ledger.history.opening
            if opening is None:
                raise RollbackError(f"nothing of {self._recipe.name} is applied", "there is nothing to take back")
            in_place = opening.mode == "in place"
            workspace = open_workspace(checkout, ledger, self._recipe.name, in_place=in_place, place=None, anew=not to)
            if ledger.history.open is not None:
                self._run(checkout, workspace, ledger).take_back()
            done = ledger.history.over
            if ledger.history.rollback is not None:
                done = roll_back(workspace, ledger, ledger.history.rollback.to, progress=self._progress)
            if done is None or (done.to and done.to != to):
                done = roll_back(workspace, ledger, to, force=force, progress=self._progress)
            clear_up(workspace, ledger)
            return done

    def preview(self, phases: Sequence[str] = ()) -> Iterator[bytes]:
        """What `apply` would change, as a unified diff for each file; nothing is written."""
        self._check_names(phases)
        checkout = Checkout.of(self._root)
        history = checkout.journal(self._recipe.name).history()
        opening = history.opening
        worktree = opening is not None and history.opened is not None and opening.mode == "worktree"
        root = Path(opening.place) / checkout.prefix if opening is not None and worktree else checkout.root
        if not root.is_dir():
            raise MigrationError(f"{root} was deleted; carrel migrate apply checks it out again")
        wanted = phases or [one for one in self.phases if not history.is_applied(one)]
        files, _ = edited_files(root, self._rewrite, tuple(self._find(root)), wanted)
        for file in files:
            yield unified_diff(file.path, file.before, file.after)

    @contextmanager
    def _session(self) -> Iterator[tuple[Checkout, Ledger]]:
        checkout = Checkout.of(self._root)
        try:
            with locked(checkout.lock) as descriptor:
                yield checkout.holding(descriptor), Ledger(checkout.journal(self._recipe.name))
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise MigrationError(
                f"{error.strerror or error}{where}; nothing is lost: when that is repaired, the same command goes on"
            ) from error

    def _workspace(self, checkout: Checkout, ledger: Ledger) -> Workspace:
        return open_workspace(checkout, ledger, self._recipe.name, in_place=self._in_place, place=self._place)

    def _run(self, checkout: Checkout, workspace: Workspace, ledger: Ledger) -> PhaseRun:
        state = checkout.directory(self._recipe.name)
        trial = Trial(
            self._recipe, workspace, ledger, find=self._find, checkout=checkout.root, state=state,
            progress=self._progress,
        )  # fmt: skip
        return PhaseRun(
            self._recipe.name, workspace, ledger, trial, find=self._find, rewrite=self._rewrite,
            progress=self._progress,
        )  # fmt: skip

    def _check_names(self, phases: Sequence[str]) -> None:
        for name in phases:
            if name not in (*self.phases, REST):
                raise MigrationError(f"the recipe has no phase {name!r}; it has: {', '.join(self.phases) or 'none'}")
