"""References that a phase should have moved and that are still there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from carrel.migrate.gates.evidence import Fired, PhaseEvidence
from carrel.migrate.recipe import Trigger
from carrel.migrate.references import Reference

__all__ = ["ReferencesGate"]


class ReferencesGate:
    """By a new scan. What the phase has left on purpose and reported with its reason does not count."""

    trigger: Final[Trigger] = "references"

    def judge(self, evidence: PhaseEvidence) -> Iterable[Fired]:
        by_path: dict[str, list[Reference]] = defaultdict(list)
        for reference in evidence.remaining:
            by_path[reference.path].append(reference)
        # Lines have moved, so what is left is compared by number and not by place.
        over = {path: found for path, found in by_path.items() if len(found) > evidence.left.get(path, 0)}
        if over:
            count = sum(len(found) - evidence.left.get(path, 0) for path, found in over.items())
            yield Fired(
                trigger=self.trigger,
                message=f"{count} reference{'s are' if count > 1 else ' is'} left in {len(over)} of the phase's files",
                details=tuple(
                    f"{path}:{one.line}:{one.column + 1}: {one.kind} {one.text}"
                    for path, found in sorted(over.items())
                    for one in found
                ),
            )
