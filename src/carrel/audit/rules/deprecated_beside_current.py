"""What was to be replaced still stands beside what replaces it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.program import Program
from carrel.audit.roles import Role, is_test_path, plain_name, related_roles, roles
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import Location, RuleInfo

__all__ = ["DeprecatedBesideCurrent"]

_MODULE: Final = re.compile(r"^(?P<stem>.+?)_(?:old|legacy|deprecated|backup|bak|v\d|enhanced|unified|consolidated|"
                            r"refactored|fixed|optimi[sz]ed|copy)$|^(?:legacy|deprecated|enhanced|unified|"
                            r"consolidated|refactored)_(?P<rest>.+)$")  # fmt: skip


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
        for role in roles(program):
            by_name.setdefault(role.name, []).append(role)
        for name, group in by_name.items():
            plain = plain_name(name)
            for other in by_name.get(plain, ())[:1] if plain != name else ():
                for role in group:
                    below = related_roles(program, role, other)
                    message = f"`{name}` stands beside `{plain}`"
                    yield Candidate(
                        rule=self.info.rule, location=role.location, message=message, symbol=role.symbol,
                        related=(other.location,), grades=(Grade("info" if below or role.is_value else "warning"),),
                    )  # fmt: skip
        yield from self._modules(program)

    def _modules(self, program: Program) -> Iterator[Candidate]:
        for path in sorted(program.files):
            directory, _, file = path.rpartition("/")
            found = _MODULE.match(file.removesuffix(".py"))
            if found is None or is_test_path(path):
                continue
            beside = f"{directory}/{found['stem'] or found['rest']}.py".lstrip("/")
            if beside in program.files:
                yield Candidate(
                    rule=self.info.rule, location=Location(path=path, line=1),
                    message=f"`{file}` stands beside `{beside.rpartition('/')[2]}`",
                    related=(Location(path=beside, line=1),),
                )  # fmt: skip
