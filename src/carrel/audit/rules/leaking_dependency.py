"""A pinned version of a library that is known to show one user's data to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.advisories import Advisory, advisories_for
from carrel.audit.assigned import session_hook
from carrel.audit.facts import FileFacts
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
            installed = [one for one in pins if _is_installed(program, one, advisory)]
            shown = ((one, place) for one in installed if (place := _used(program, one.path, advisory)) is not None)
            first, used = next(shown, ((installed or pins)[0], None))
            yield Candidate(
                rule=self.info.rule,
                location=Location(path=first.path, line=first.line),
                message=f"{first.package} {first.version}: {advisory.leaks} ({advisory.sources[0]})",
                fix=Fix(description=f"Move to {first.package} {advisory.fixed} or later."),
                related=(
                    *(used or ()),
                    *(Location(path=one.path, line=one.line, note="pinned here too") for one in pins if one != first),
                ),
                grades=(Grade("info" if used is None else "error"),),
            )


def _is_installed(program: Program, pin: Pin, advisory: Advisory) -> bool:
    """Whether the product gets this version: no list beside it says that it gets one that is repaired."""
    beside = pin.path.rpartition("/")[0]
    others = (one for one in program.pins if one.package == pin.package and one.path.rpartition("/")[0] == beside)
    repaired = any(not advisory.affects(one.version) and _is_deployed(one.path) for one in others)
    return _is_deployed(pin.path) and not repaired


def _is_deployed(path: str) -> bool:
    """Whether the product is installed from the file: no `dev-requirements.txt`, no `requirements/docs.txt`."""
    words = set(_WORDS.findall("/".join(path.lower().split("/")[-2:]).rpartition(".")[0]))
    own = set(_WORDS.findall(path.lower().rpartition("/")[2].rpartition(".")[0]))
    is_list = not words.isdisjoint(("requirements", "constraints"))
    return not is_test_path(path) and (not is_list or own <= _DEPLOYED)


def _used(program: Program, pinned: str, advisory: Advisory) -> tuple[Location, ...] | None:
    """Where the program that is installed from the list uses what leaks, `()` when there is no code to be seen."""
    files = [one for path, one in sorted(program.files.items()) if not is_test_path(path)]
    if not advisory.uses or not program.files:
        return ()
    files = _beside(files, pinned)
    names = [(name, file.path, line) for file in files for name, line in _names(file)]
    if any(_is_one_of(name, advisory.unless) for name, _, _ in names):
        return None
    if advisory.unless_session and session_hook(program, files):
        return None
    used = ((path, line) for name, path, line in names if _is_one_of(name, advisory.uses))
    return next(((Location(path=path, line=line, note="used here"),) for path, line in used), None)


def _beside(files: list[FileFacts], pinned: str) -> list[FileFacts]:
    """The files that a list is for: those in its directory and below, or in the next one above that has some."""
    directory = pinned
    while directory:
        directory = directory.rpartition("/")[0]
        own = [one for one in files if not directory or one.path.startswith(f"{directory}/")]
        if own:
            return own
    return []


def _names(file: FileFacts) -> Iterator[tuple[str, int]]:
    """What a file imports, calls and sets, and the arguments that it names in calls, each with its line."""
    yield from ((f"{one.module}.{one.name}".rstrip("."), one.line) for one in file.outline.imports if not one.level)
    yield from file.assigned
    for call in (*file.imported_calls, *(call for function in file.functions for call in function.calls)):
        yield call.path, call.line
        yield from ((f"{call.path.rpartition('.')[2]}({one})", call.line) for one in call.given)


def _is_one_of(name: str, known: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{one}.") for one in known)
