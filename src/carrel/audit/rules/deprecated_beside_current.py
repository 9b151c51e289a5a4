"""What was to be replaced still stands beside what replaces it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from carrel.audit.copies import share_lines
from carrel.audit.places import is_test_path
from carrel.audit.program import Program
from carrel.audit.roles import Role, likeness, plain_name, related_roles, roles
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.users import Users
from carrel.findings import Location, RuleInfo, Severity

__all__ = ["DeprecatedBesideCurrent"]

_MODULE: Final = re.compile(r"^(?P<stem>.+?)_(?:old|legacy|deprecated|backup|bak|v\d|enhanced|unified|consolidated|"
                            r"refactored|fixed|optimi[sz]ed|copy)$|^(?:legacy|deprecated|enhanced|unified|"
                            r"consolidated|refactored)_(?P<rest>.+)$")  # fmt: skip
_OLD: Final = re.compile(r"(?i)(?:^|_)(?:old|legacy|deprecated|backup|bak|copy)(?:$|_)|^(?:Legacy|Deprecated)|Old$")
"""Names that say it themselves: one that is called better, unified or consolidated may be something else."""
_VERSION: Final = re.compile(r"v\d(?:\.py)?$", re.IGNORECASE)
_ALIKE: Final = 0.25


class DeprecatedBesideCurrent:
    """`ToolDispatcher` and `EnhancedToolDispatcher`; `engine.py` and `engine_legacy.py`."""

    info = RuleInfo(
        rule="deprecated-beside-current",
        code="CAR104",
        severity="warning",
        title="The old and the new stand side by side",
        why="Both are imported by somebody, so each way through the program decides anew which of them keeps users "
        "apart, and a repair reaches only one.",
        fix="Move the last callers over and delete the old one; the one that stays takes the plain name.",
        page=rule_page("deprecated-beside-current"),
        leak_classes=(),
    )

    def check_program(self, program: Program) -> Iterator[Candidate]:
        by_name: dict[str, list[Role]] = {}
        by_path: dict[str, list[Role]] = {}
        told: set[tuple[str, str]] = set()
        users = Users(program)
        for role in roles(program):
            by_name.setdefault(role.name, []).append(role)
            by_path.setdefault(role.location.path, []).append(role)
        for name, group in by_name.items():
            plain = plain_name(name)
            if plain == name or plain not in by_name:
                continue
            for role in group:
                other = _most_like(role, by_name[plain])
                both = ((role.location.path, role.symbol), (other.location.path, other.symbol))
                replaces = _replaces(program, role, other) and _are_both_used(users, *both)
                severity: Severity = "warning" if replaces else "info"
                if severity == "warning":
                    told.add((role.location.path, other.location.path))
                message = f"`{name}` stands beside `{plain}`"
                yield Candidate(
                    rule=self.info.rule, location=role.location, message=message, symbol=role.symbol,
                    related=(other.location,), grades=(Grade(severity),),
                )  # fmt: skip
        yield from self._modules(program, users, told, by_path)

    def _modules(
        self, program: Program, users: Users, told: set[tuple[str, str]], by_path: Mapping[str, list[Role]]
    ) -> Iterator[Candidate]:
        for path in sorted(program.files):
            directory, _, file = path.rpartition("/")
            found = _MODULE.match(file.removesuffix(".py"))
            if found is None or is_test_path(path) or program.files[path].is_generated:
                continue
            beside = f"{directory}/{found['stem'] or found['rest']}.py".lstrip("/")
            if beside in program.files and (path, beside) not in told:
                same = _offered(program, path) & _offered(program, beside)
                pairs = product(by_path.get(path, ()), by_path.get(beside, ()))
                is_it = _OLD.search(file.removesuffix(".py")) or any(
                    plain_name(one.name) == plain_name(other.name) and share_lines(one, other) for one, other in pairs
                )
                replaces = is_it and same and not _VERSION.search(file)
                replaces = replaces and not _lead_to_each_other(program, path, beside)
                replaces = replaces and _are_both_used(users, (path, ""), (beside, ""))
                yield Candidate(
                    rule=self.info.rule, location=Location(path=path, line=1),
                    message=f"`{file}` stands beside `{beside.rpartition('/')[2]}`",
                    related=(Location(path=beside, line=1),),
                    grades=(Grade("warning" if replaces else "info"),),
                )  # fmt: skip


def _most_like(role: Role, others: list[Role]) -> Role:
    return max(others, key=lambda one: likeness(one.members, role.members))


def _replaces(program: Program, role: Role, other: Role) -> bool:
    """Whether the two do the same work; a number alone tells versions of what both of them speak.

    What a framework asks for by name is in both of them, so one that is not called old has to share some lines, too.
    Whoever mends one of two in the same file sees the other. Of neural networks, `ModernBert` is another than `Bert`.
    """
    if (
        role.location.path == other.location.path
        or "Module" in role.bases
        or role.is_value
        or _VERSION.search(role.name)
        or likeness(role.methods, other.methods) < _ALIKE
    ):
        return False
    if not _OLD.search(role.name) and not share_lines(role, other):
        return False
    return not related_roles(program, role, other) and not _lead_to_each_other(
        program, role.location.path, other.location.path
    )


def _are_both_used(users: Users, one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether other files take each of the two; one that takes this or that, under an `if`, has decided for all."""
    ours, theirs = users.of(*one), users.of(*other)
    deciding = {path for path in ours.keys() & theirs.keys() if ours[path] and theirs[path]}
    return bool(ours.keys() - deciding and theirs.keys() - deciding)


def _lead_to_each_other(program: Program, path: str, other: str) -> bool:
    """Whether one file imports the other, wherever it does: it is built on it, or chooses between the two."""
    every = program.imports.every
    return other in every[path] or path in every[other]


def _offered(program: Program, path: str) -> set[str]:
    """The public functions and classes with methods of a file, by the names that they have without their age."""
    facts = program.files[path]
    does = {one.name.removeprefix(f"{facts.module}.").partition(".")[0] for one in facts.functions}
    return {plain_name(name) for name in does & set(facts.outline.exports) if not name.startswith("_")}
