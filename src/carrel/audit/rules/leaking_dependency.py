"""A pinned version of a library that is known to show one user's data to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.advisories import Advisory, advisories_for
from carrel.audit.pins import Pin
from carrel.audit.places import is_test_path
from carrel.audit.program import Program
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import Fix, Location, RuleInfo

__all__ = ["LeakingDependency"]

_WORDS: Final = re.compile(r"[a-z0-9]+")
_DEPLOYED: Final = frozenset(
    {"requirements", "constraints", "pinned", "locked", "lock", "frozen", "base", "main", "common", "core", "app",
     "server", "web", "api", "backend", "prod", "production", "deploy", "deployment", "docker", "runtime", "live",
     "all", "full", "py3"}
)  # fmt: skip
"""Words in the names of the files from which the product itself is installed."""


class LeakingDependency:
    """`redis==4.5.1`."""

    info = RuleInfo(
        rule="leaking-dependency",
        code="CAR201",
        severity="error",
        title="A pinned version is known to leak between users",
        why="The library itself hands one request what belongs to another, however carefully the code around it "
        "keeps users apart.",
        fix="Move to a version that is repaired.",
        page=rule_page("leaking-dependency"),
        leak_classes=(),
    )

    def check_program(self, program: Program) -> Iterator[Candidate]:
        found: dict[Advisory, list[Pin]] = {}
        for pin in program.pins:
            for advisory in advisories_for(pin.package, pin.version):
                found.setdefault(advisory, []).append(pin)
        for advisory, pins in found.items():
            pins.sort(key=lambda one: not _is_deployed(one.path))
            first, *others = pins
            used = _used(program, advisory.uses) if _is_deployed(first.path) else None
            yield Candidate(
                rule=self.info.rule,
                location=Location(path=first.path, line=first.line),
                message=f"{first.package} {first.version}: {advisory.leaks} ({advisory.sources[0]})",
                fix=Fix(description=f"Move to {first.package} {advisory.fixed} or later."),
                related=(
                    *(used or ()),
                    *(Location(path=one.path, line=one.line, note="pinned here too") for one in others),
                ),
                grades=(Grade("info" if used is None else "error"),),
            )


def _is_deployed(path: str) -> bool:
    """Whether the product is installed from the file: no `dev-requirements.txt`, no `requirements/docs.txt`."""
    words = set(_WORDS.findall("/".join(path.lower().split("/")[-2:]).rpartition(".")[0]))
    own = set(_WORDS.findall(path.lower().rpartition("/")[2].rpartition(".")[0]))
    is_list = not words.isdisjoint(("requirements", "constraints"))
    return not is_test_path(path) and (not is_list or own <= _DEPLOYED)


def _used(program: Program, uses: tuple[str, ...]) -> tuple[Location, ...] | None:
    """Where the product imports or calls what leaks; `None` when nothing of it is to be seen, though there is code."""
    if not uses or not program.files:
        return ()
    for path, facts in sorted(program.files.items()):
        if is_test_path(path):
            continue
        named = [(f"{one.module}.{one.name}".rstrip("."), one.line) for one in facts.outline.imports if not one.level]
        calls = (*facts.imported_calls, *(call for function in facts.functions for call in function.calls))
        for name, line in (*named, *((call.path, call.line) for call in calls)):
            if any(f"{name}.".startswith(f"{one}.") for one in uses):
                return (Location(path=path, line=line, note="used here"),)
    return None
