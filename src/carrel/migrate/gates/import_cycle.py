"""Files that import each other, and did not before the phase."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from carrel.migrate.gates.evidence import Fired, PhaseEvidence
from carrel.migrate.recipe import Trigger

__all__ = ["ImportCycleGate"]


class ImportCycleGate:
    """By the import graph, module level only. A cycle that takes in one more file is a new one."""

    trigger: Final[Trigger] = "import_cycle"

    def judge(self, evidence: PhaseEvidence) -> Iterable[Fired]:
        before = [frozenset(cycle) for cycle in evidence.cycles_before]
        new = [cycle for cycle in evidence.cycles_after if not any(old.issuperset(cycle) for old in before)]
        if new:
            yield Fired(
                trigger=self.trigger,
                message=f"{len(new)} import cycle{'s' if len(new) > 1 else ''} that were not there before",
                details=tuple(_shown(cycle, before) for cycle in new),
            )


def _shown(cycle: tuple[str, ...], before: list[frozenset[str]]) -> str:
    old = max((known & set(cycle) for known in before), key=len, default=frozenset())
    if len(old) < 2:
        return " <-> ".join(cycle)
    joined = ", ".join(path for path in cycle if path not in old)
    return f"{joined} with the {len(old)} files around {min(old)}"
