"""One protocol, written down more than once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from carrel.audit.copies import stand_side_by_side
from carrel.audit.facts import FunctionFact
from carrel.audit.program import Program
from carrel.audit.roles import Role, likeness, related_roles, roles
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo

__all__ = ["DuplicatedProtocol"]

_FEW: Final = 2
_MANY: Final = 4
"""Methods that nobody gives to two protocols by chance."""
_KIND: Final = re.compile(r"(?:Protocol|Interface|ABC)$")
_SAME: Final = 0.75


class DuplicatedProtocol:
    """`class EventSink(Protocol)` in two modules, with the same methods."""

    info = RuleInfo(
        rule="duplicated-protocol",
        code="CAR105",
        severity="warning",
        title="A protocol is written down more than once",
        why="A promise that stands in two places is kept in one of them: an implementation follows the copy it "
        "knows, and a rule that is added to the other, such as whose data a call may see, never reaches it.",
        fix="Keep one and import it.",
        page=rule_page("duplicated-protocol"),
        leak_classes=(),
    )

    def check_program(self, program: Program) -> Iterator[Candidate]:
        protocols = [one for one in roles(program) if one.is_protocol and len(one.methods) >= _FEW]
        found: dict[str, list[Role]] = {}
        for one, other in combinations(protocols, 2):
            if likeness(one.methods, other.methods) >= _SAME and not _is_twin(program, one, other):
                found.setdefault(one.symbol, [one]).append(other)
        told: set[str] = set()
        for group in found.values():
            first = group[0]
            # Two promises of two methods are soon alike; one name in two files is one promise.
            same = [one for one in group[1:] if _is_written_twice(program, first, one)]
            others = same or group[1:]
            if first.symbol in told:
                continue
            told.update(one.symbol for one in group)
            message = f"`{first.name}` promises the same as {_listed(others)}"
            yield Candidate(rule=self.info.rule, location=first.location, message=message, symbol=first.symbol,
                            related=tuple(one.location for one in others),
                            grades=(Grade("warning" if same else "info"),))  # fmt: skip


def _is_twin(program: Program, one: Role, other: Role) -> bool:
    """Whether one extends the other, or is the same for coroutines."""
    names = {role.name.replace("Async", "").replace("Sync", "") for role in (one, other)}
    if related_roles(program, one, other) or (len(names) == 1 and one.name != other.name):
        return True
    return any(ours.is_async != theirs.is_async for ours, theirs in _both(program, one, other))


def _is_written_twice(program: Program, one: Role, other: Role) -> bool:
    alike = _bare_name(one) == _bare_name(other) or (len(one.methods) >= _MANY and one.methods == other.methods)
    if not alike or one.location.path == other.location.path or stand_side_by_side(one, other):
        return False
    # Who is told something else keeps another promise.
    return all(ours.parameters == theirs.parameters for ours, theirs in _both(program, one, other))


def _both(program: Program, one: Role, other: Role) -> Iterator[tuple[FunctionFact, FunctionFact]]:
    """The methods that both have."""
    functions = program.resolution.functions
    for method in one.methods & other.methods:
        yield functions[f"{one.symbol}.{method}"], functions[f"{other.symbol}.{method}"]


def _bare_name(role: Role) -> str:
    return _KIND.sub("", role.name)


def _listed(others: list[Role]) -> str:
    return " and ".join(f"`{one.symbol}`" for one in others[:3])
