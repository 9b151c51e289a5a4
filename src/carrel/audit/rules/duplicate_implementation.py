"""One role that several classes play."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from carrel.audit.copies import Copies
from carrel.audit.program import Program
from carrel.audit.roles import Role, likeness, plain_name, related_roles, roles
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo, Severity

__all__ = ["DuplicateImplementation"]

_ALIKE: Final = 0.5
_SAME: Final = 0.8
_FEW: Final = 4
"""Methods that two classes of different names must have before their likeness says something."""
_SHOWN: Final = 8


class DuplicateImplementation:
    """`ConnectionManager` in three modules, each with the same methods."""

    info = RuleInfo(
        rule="duplicate-implementation",
        code="CAR101",
        severity="warning",
        title="Several classes play one role",
        why="A repair of one leaves the others as they were. Where the role is to keep users apart, the copy that was "
        "forgotten is the one that leaks.",
        fix="Keep one, and import it everywhere; where they must differ, give them one protocol and telling names.",
        page=rule_page("duplicate-implementation"),
        leak_classes=(),
    )

    def check_program(self, program: Program) -> Iterator[Candidate]:
        by_name: dict[str, list[Role]] = {}
        protocols: list[Role] = []
        for role in roles(program):
            if role.is_protocol:
                protocols.append(role)
            else:
                by_name.setdefault(plain_name(role.name), []).append(role)
        copies = Copies(program, [one for group in by_name.values() for one in group])
        for name, group in by_name.items():
            if len(group) > 1:
                yield from self._same_name(program, copies, name, group)
        yield from self._same_interface(program, [one for group in by_name.values() for one in group], protocols)

    def _same_name(self, program: Program, copies: Copies, name: str, group: list[Role]) -> Iterator[Candidate]:
        alike = [
            pair
            for pair in combinations(group, 2)
            if pair[0].name == pair[1].name and not related_roles(program, *pair) and _may_be_one(*pair)
        ]
        if not alike:
            return
        twice = [pair for pair in alike if copies.are_copies(*pair)]
        spread = copies.spread({one for pair in alike for one in pair if one.name == name})
        told = {one for pair in twice for one in pair} | set(spread)
        members = sorted(told or {one for pair in alike for one in pair}, key=lambda one: one.symbol)
        near = max(likeness(one.members, other.members) for one, other in twice or alike)
        says = (
            "the same interface"
            if near >= _SAME
            else "a similar interface"
            if near >= _ALIKE
            else "different interfaces"
        )
        message = f"`{name}` is defined {len(members)} times, with {says}"
        yield self._candidate(members, message, "warning" if told else "info")

    def _same_interface(self, program: Program, everyone: list[Role], protocols: list[Role]) -> Iterator[Candidate]:
        """Classes of different names that offer the same methods and share no base."""
        by_methods: dict[frozenset[str], list[Role]] = {}
        for role in everyone:
            if len(role.methods) >= _FEW and not role.is_value:
                by_methods.setdefault(role.methods, []).append(role)
        for methods, group in by_methods.items():
            if any(one.methods and one.methods <= methods for one in protocols):
                continue
            names = {one.name for one in group}
            if len(names) > 1 and not any(related_roles(program, *pair) for pair in combinations(group, 2)):
                message = f"{len(group)} classes offer the same {len(group[0].methods)} methods and share no protocol"
                yield self._candidate(group, message, "info")

    def _candidate(self, members: list[Role], message: str, severity: Severity) -> Candidate:
        first, *others = members
        return Candidate(
            rule=self.info.rule, location=first.location, message=message, symbol=first.symbol,
            related=tuple(one.location for one in others[:_SHOWN]), grades=(Grade(severity),),
        )  # fmt: skip


def _may_be_one(one: Role, other: Role) -> bool:
    """Whether both are of one kind: a table's row and the message about it share a name and no base."""
    return not one.bases or not other.bases or not set(one.bases).isdisjoint(other.bases)
