"""Takes phases back that were kept: to the state after one of them, or before the first."""

from __future__ import annotations

from collections.abc import Callable

from carrel.errors import RollbackError
from carrel.migrate.history import AppliedPhase, History
from carrel.migrate.ledger import Ledger
from carrel.migrate.records import RollbackDone, RollbackStarted
from carrel.migrate.workspace import Workspace

__all__ = ["clear_up", "roll_back"]


def roll_back(
    workspace: Workspace,
    ledger: Ledger,
    to: str,
    *,
    force: bool = False,
    progress: Callable[[str], None] = lambda _step: None,
) -> RollbackDone:
    """Bring back the state right after the phase `to`, or before the first one when it is empty.

    A rollback that was interrupted is finished first: nothing else can be done with half of it. Raises `RollbackError`,
    or `DirtyWorktreeError` without `force`, before anything is touched.
    """
    started = ledger.history.rollback
    if started is None:
        opened = ledger.history.opened
        if opened is None:
            raise RollbackError("nothing is applied", "there is nothing to take back")
        after = _after(ledger.history, to)
        workspace.check_reversible([one.written.mark for one in after if one.written.files])
        kept = ledger.history.applied[: len(ledger.history.applied) - len(after)]
        mark = kept[-1].kept.mark if kept else opened.mark
        if not force:
            workspace.check_untouched(mark)
        started = RollbackStarted(to=to, mark=mark)
        ledger.append(started)
        progress(f"taking back {len(after)} phases")
    proof = workspace.restore(started.mark)
    done = RollbackDone(to=started.to, mark=started.mark, proof=proof)
    ledger.append(done)
    return done


def clear_up(workspace: Workspace, ledger: Ledger) -> bool:
    """After everything was taken back, remove what the migration has made; gives whether that was the case."""
    if ledger.history.over is None:
        return False
    workspace.discard()
    ledger.close()
    return True


def _after(history: History, to: str) -> list[AppliedPhase]:
    """The applied phases after `to`."""
    if not to:
        return history.applied
    names = [one.name for one in history.applied]
    if to not in names:
        raise RollbackError(f"the phase {to!r} is not applied", f"applied are: {', '.join(names) or 'none'}")
    last = max(index for index, name in enumerate(names) if name == to)
    return history.applied[last + 1 :]
