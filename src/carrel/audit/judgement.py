"""From candidates to findings: which conditions hold, how severe that is, and how a request gets there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from carrel.audit.applications import is_doubtful
from carrel.audit.conditions import Condition, HasEntryPoints, Proof
from carrel.audit.places import is_example, is_foreign, is_start_up, is_test_plumbing
from carrel.audit.program import Program
from carrel.audit.rule import Candidate
from carrel.findings import Finding, Fix, Location, RuleInfo, Severity

__all__ = ["judge"]

_LOWER: Final[Mapping[Severity, Severity]] = MappingProxyType({"error": "warning", "warning": "info", "info": "info"})
_GRAVITY: Final[Mapping[Severity, int]] = MappingProxyType({"error": 2, "warning": 1, "info": 0})


def judge(candidates: Iterable[Candidate], program: Program, rules: Mapping[str, RuleInfo]) -> Iterator[Finding]:
    """The findings of the candidates whose rules are in `rules`, by name.

    What a rule says of a place for two reasons is said once, for the graver one.
    """
    found: dict[tuple[str, str, int, int, str], Finding] = {}
    for one in _judged(candidates, program, rules):
        key = (one.rule, one.location.path, one.location.line, one.location.column, one.message)
        other = found.get(key)
        if other is None or _GRAVITY[one.severity] > _GRAVITY[other.severity]:
            found[key] = one
    yield from found.values()


def _judged(candidates: Iterable[Candidate], program: Program, rules: Mapping[str, RuleInfo]) -> Iterator[Finding]:
    is_library = HasEntryPoints().proof(program) is None
    # In a code base of nothing else, the examples are what there is.
    has_more = sum(map(is_example, program.files)) * 2 < len(program.files)
    for candidate in candidates:
        info = rules.get(candidate.rule)
        if info is None:
            continue
        proof = _proof(candidate.given, program)
        if proof is None:
            continue
        graded = _grade(candidate, info, program)
        if graded is None:
            continue
        severity, given, further = graded
        way = program.way_to(candidate.symbol)
        if candidate.lower_unreachable and not is_library and not way:
            severity = _LOWER[severity]
        apart = bool(info.leak_classes) and not candidate.by_anybody and program.calls.is_apart(candidate.symbol)
        path = candidate.location.path
        # What a request is not seen to lead to, and a command line is, one person runs.
        by_hand = bool(info.leak_classes) and not way and (is_start_up(path) or path in program.scripts)
        shown = has_more and is_example(path)
        proving = (*candidate.given, *given)
        doubtful = (
            bool(info.leak_classes) and program.is_application and is_doubtful(candidate, proving, way, info, program)
        )
        if apart or by_hand or doubtful or shown or is_foreign(path) or is_test_plumbing(path):
            severity = "info"
        yield Finding(
            rule=info.rule,
            code=info.code,
            severity=severity,
            location=candidate.location,
            message=candidate.message,
            why=candidate.why or info.why,
            fix=candidate.fix if candidate.fix != Fix() else Fix(description=info.fix),
            symbol=candidate.symbol,
            related=_places((*candidate.related, *proof, *further), candidate.location),
            reachable_from=way,
        )


def _grade(
    candidate: Candidate, info: RuleInfo, program: Program
) -> tuple[Severity, tuple[Condition, ...], Proof] | None:
    if not candidate.grades:
        return info.severity, (), ()
    for grade in candidate.grades:
        proof = _proof(grade.given, program)
        if proof is not None:
            return grade.severity, grade.given, proof
    return None


def _proof(conditions: Iterable[Condition], program: Program) -> Proof | None:
    places: list[Location] = []
    for condition in conditions:
        proof = condition.proof(program)
        if proof is None:
            return None
        places += proof
    return tuple(places)


def _places(places: Iterable[Location], own: Location) -> tuple[Location, ...]:
    """Each place once, and not the place of the finding itself."""
    found: dict[tuple[str, int], Location] = {(own.path, own.line): own}
    for place in places:
        found.setdefault((place.path, place.line), place)
    return tuple(found.values())[1:]
