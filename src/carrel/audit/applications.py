"""What is said of a leak in an application: a program of many entry points, whose ways the audit evidently knows.

There, what is not seen is more often a guard than a leak, so what has been wrong when people read it is an info. In a
small program the same shape is said as loud as its rule is. The figures are those of docs/explanation/precision.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from carrel.audit.conditions import Condition, TaintedParameter
from carrel.audit.program import Program
from carrel.audit.rule import Candidate
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["is_doubtful"]

_NEAR: Final = 3
"""So many functions hand on what one user sent, and it is still taken for the user's: of 15 findings that were further
away, one was right, of 36 that were not, 12 (docs/decisions/0138-no-way-no-error.md)."""
_READ: Final[Mapping[str, tuple[float, int]]] = MappingProxyType(
    {
        "CAR001": (3, 12), "CAR002": (4, 12), "CAR003": (2, 9), "CAR004": (4.1, 16), "CAR005": (9, 25),
        "CAR006": (1, 3), "CAR007": (1.9, 9), "CAR008": (5.2, 26), "CAR009": (4, 12), "CAR012": (1, 4),
        "CAR016": (0.7, 5), "CAR017": (2, 5), "CAR020": (0, 5), "CAR021": (2, 8), "CAR023": (25.8, 68),
        "CAR024": (5.7, 26), "CAR025": (0, 13), "CAR026": (2, 10), "CAR027": (0, 3), "CAR028": (3, 13),
        "CAR029": (1, 4), "CAR032": (2, 6), "CAR033": (1.5, 14), "CAR035": (0, 3), "CAR036": (1, 3), "CAR037": (0, 6),
    }
)  # fmt: skip
"""Of each rule about leaks: in how many programs of strangers its errors and warnings were right, and in how many,
three or more, they were read; where it had said several things of one program, the share that was right. From the
six measures of November 2026 in which readers knew no rule (docs/decisions/0140-as-loud-as-right.md)."""
_SELDOM: Final = 0.25


def is_doubtful(
    candidate: Candidate, proving: Iterable[Condition], way: tuple[str, ...], info: RuleInfo, program: Program
) -> bool:
    """Whether a leak in an application is of a kind that was seldom right: nobody who asks gets to the function, its
    value came far before it was kept, or its rule was right in less than a quarter of the programs it was read in.

    proving: the conditions that gave it its severity; way: the functions on the way to it.
    """
    is_function = candidate.symbol in program.resolution.functions
    if is_function and not program.calls.is_asked(candidate.symbol):
        return True
    if len(way) > _NEAR and any(map(_is_handed, proving)):
        return True
    right, programs = _READ.get(info.code, (1, 1))
    return right < _SELDOM * programs


def _is_handed(condition: Condition) -> bool:
    """Whether what is one user's is known to be so only because a caller has it: not by what it is called."""
    return isinstance(condition, TaintedParameter) and not is_identity_like(condition.parameter)
