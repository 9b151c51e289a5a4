"""One role that several classes or functions play."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from posixpath import dirname
from typing import Final, TypeVar

from carrel.audit.copied_functions import Written, copied_functions
from carrel.audit.copies import ENOUGH, are_copies, spread
from carrel.audit.program import Program
from carrel.audit.roles import Role, likeness, related_roles, roles
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo, Severity

__all__ = ["DuplicateImplementation"]

_ALIKE: Final = 0.5
_SAME: Final = 0.8
_FEW: Final = 4
"""Methods that two classes of different names must have before their likeness says something."""
_NAMED: Final = 4
_LOADED: Final = 12
"""So many classes of one name are plug-ins."""
_SHOWN: Final = 8
_Member = TypeVar("_Member")


class DuplicateImplementation:
    """`ConnectionManager` in three modules, each with the same methods."""

    info = RuleInfo(
        rule="duplicate-implementation",
        code="CAR101",
        severity="warning",
        title="Several classes or functions play one role",
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
                by_name.setdefault(role.name, []).append(role)
        copied: dict[tuple[str, ...], list[Sequence[Role | Written]]] = {}
        for name, group in by_name.items():
            alike = [pair for pair in combinations(group, 2)
                     if not related_roles(program, *pair) and _may_be_one(*pair)]  # fmt: skip
            if not alike:
                continue
            own = _own_lines(group)
            enough = ENOUGH * 2 if _is_convention(name, group) else ENOUGH
            sets = _sets(
                (one, other) for one, other in alike if are_copies(program, own[one.symbol], own[other.symbol], enough)
            )
            for copies in sets:
                copied.setdefault(tuple(one.location.path for one in copies), []).append(copies)
            if not sets:
                yield self._namesakes(program, name, alike)
        beside: list[Sequence[Role | Written]] = []
        for functions in copied_functions(program):
            paths = tuple(one.location.path for one in functions.members)
            if paths in copied:
                copied[paths].append(functions.members)
            elif functions.is_one_program:
                beside.append(functions.members)
            else:
                yield self._copies([functions.members], "info")
        for together in (*copied.values(), *_by_directories(beside)):
            yield self._copies(together, "warning")
        yield from self._same_interface(program, [one for group in by_name.values() for one in group], protocols)

    def _copies(self, together: list[Sequence[Role | Written]], severity: Severity) -> Candidate:
        """What was copied from file to file is one finding, however many classes and functions it holds."""
        names = list(dict.fromkeys(f"`{copies[0].name}`" for copies in together))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        said = f"{', '.join(names[:_NAMED])}{more} {'are' if len(names) > 1 else 'is'} defined"
        times = {len(copies) for copies in together}
        message = f"{said} {times.pop() if len(times) == 1 else 'several'} times, with mostly the same lines"
        first_of = {one.location.path: one for copies in reversed(together) for one in copies}
        members = {one.location.path: first_of[one.location.path] for copies in together for one in copies}
        return self._candidate([*members.values()], message, severity)

    def _namesakes(self, program: Program, name: str, alike: list[tuple[Role, Role]]) -> Candidate:
        group = _members(alike)
        members = list(spread(program, group))
        near = max(likeness(one.members, other.members) for one, other in alike)
        says = (
            "the same interface"
            if near >= _SAME
            else "a similar interface"
            if near >= _ALIKE
            else "different interfaces"
        )
        message = f"`{name}` is defined {len(members or group)} times, with {says}"
        return self._candidate(members or group, message, "warning" if members else "info")

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

    def _candidate(self, members: Sequence[Role | Written], message: str, severity: Severity) -> Candidate:
        first, *others = members
        return Candidate(
            rule=self.info.rule, location=first.location, message=message, symbol=first.symbol,
            related=tuple(one.location for one in others[:_SHOWN]), grades=(Grade(severity),),
        )  # fmt: skip


def _is_convention(name: str, group: list[Role]) -> bool:
    """Whether something that loads classes asks for the name: `Command` of Django, `Module` of forty plug-ins."""
    return len(group) >= _LOADED or (name == "Command" and any(base.endswith("Command") for base in group[0].bases))


def _own_lines(group: list[Role]) -> dict[str, Role]:
    """By symbol, the classes without the lines that most of them have, where those are the frame of a plug-in."""
    having = Counter(line for one in group for line in set(one.lines)) if len(group) >= _LOADED else Counter[int]()
    return {
        one.symbol: replace(one, lines=tuple(line for line in one.lines if having[line] * 2 <= len(group)))
        for one in group
    }


def _members(pairs: Iterable[tuple[Role, Role]]) -> list[Role]:
    return sorted({one for pair in pairs for one in pair}, key=lambda one: one.symbol)


def _sets(pairs: Iterable[tuple[Role, Role]]) -> list[list[Role]]:
    """Those that copies lead to from each other: a name such as `Command` can stand for two things, each copied."""
    return [sorted(one, key=lambda role: role.symbol) for one in _joined(pairs)]


def _by_directories(copied: list[Sequence[Role | Written]]) -> Iterator[list[Sequence[Role | Written]]]:
    """What was copied between directories that copies lead to from each other: of thirty drivers, each in its own, that
    began as copies of one, all that they have in common."""
    homes = [frozenset(dirname(one.location.path) for one in members) for members in copied]
    for directories in _joined(homes):
        yield [members for members, home in zip(copied, homes, strict=True) if not home.isdisjoint(directories)]


def _joined(groups: Iterable[Collection[_Member]]) -> list[set[_Member]]:
    """The groups that have a member in common as one."""
    found: list[set[_Member]] = []
    for group in groups:
        joined = [one for one in found if not one.isdisjoint(group)]
        found = [one for one in found if one not in joined]
        found.append(set(group).union(*joined))
    return found


def _may_be_one(one: Role, other: Role) -> bool:
    """Whether both are of one kind: a table's row and the message about it share a name and no base."""
    return not one.bases or not other.bases or not set(one.bases).isdisjoint(other.bases)
