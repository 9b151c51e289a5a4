"""Modules that import each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, TypeAlias

from carrel.audit.places import is_test_path
from carrel.audit.program import Program
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import Location, RuleInfo, Severity
from carrel.source import ImportGraph
from carrel.source.import_graph import imported_paths
from carrel.source.outline import ImportSite

__all__ = ["ImportCycle"]

_SHOWN: Final = 8
_Leads: TypeAlias = Callable[[Program, str, ImportSite], str | None]
"""The file that an import in another file leads to, if any."""


class ImportCycle:
    """`a` imports `b`, which imports `a`, while both are loaded."""

    info = RuleInfo(
        rule="import-cycle",
        code="CAR106",
        severity="warning",
        title="Modules import each other",
        why="None of them can be loaded, tested or replaced without the others, and which one finds the other half "
        "made depends on who was imported first: that is how second copies of a class and lazy globals come about.",
        fix="Move what both need into a module of its own, or hand it over as an argument.",
        page=rule_page("import-cycle"),
        leak_classes=(),
    )

    def check_program(self, program: Program) -> Iterator[Candidate]:
        told: set[str] = set()
        importers = program.imports.importers()
        grades: tuple[tuple[_Leads, Severity], ...] = ((_needed, "warning"), (_named, "info"))
        for leads, severity in grades:
            lines = {path: _lines(leads, program, path) for path in program.files}
            edges = {path: frozenset(targets) for path, targets in lines.items()}
            for group in ImportGraph(edges, edges).cycles():
                way = _shortest(edges, group)
                if not told.isdisjoint(group) or not way or any(is_test_path(path) for path in way):
                    continue
                if not _are_for_checkers(program, importers, group):
                    told.update(group)
                    is_generated = all(program.files[path].is_generated for path in way)
                    yield self._candidate(program, lines, group, way, "info" if is_generated else severity)

    def _candidate(
        self, program: Program, lines: Mapping[str, Mapping[str, int]], group: Collection[str], way: list[str],
        severity: Severity,
    ) -> Candidate:  # fmt: skip
        names = " > ".join(f"`{program.files[path].module}`" for path in (*way[:_SHOWN], way[0]))
        more = f", in a group of {len(group)} modules that all lead to each other" if len(group) > len(way) else ""
        first, *others = [
            Location(path=path, line=lines[path][target], note=f"imports `{program.files[target].module}`")
            for path, target in zip(way, (*way[1:], way[0]), strict=True)
        ]
        return Candidate(
            rule=self.info.rule, location=first, message=f"{names}{more}", related=tuple(others[: _SHOWN - 1]),
            grades=(Grade(severity),),
        )  # fmt: skip


def _named(program: Program, path: str, site: ImportSite) -> str | None:
    """The file that an import names; of `from package import module`, the module alone."""
    return next(iter(imported_paths(program.project, path, site)), None)


def _needed(program: Program, path: str, site: ImportSite) -> str | None:
    """The file that has to be there first.

    Python loads a package before the modules in it, so that one of them imports the package leads nowhere new: a name
    that it takes from there leads to where the name is defined.
    """
    target = _named(program, path, site)
    if target is None or site.guard == "optional" or site.line in program.files[path].registering:
        return None
    package = program.files[target].module
    if not target.endswith("__init__.py") or not program.files[path].module.startswith(f"{package}."):
        return target
    home = program.project.definition(f"{package}.{site.name}") if site.name else None
    return home.path if home is not None and home.path != target else None


def _lines(leads: _Leads, program: Program, path: str) -> dict[str, int]:
    """For each file that a file leads to while it is loaded, the line that does."""
    found: dict[str, int] = {}
    for site in program.files[path].outline.imports:
        if site.is_loading and not _asks_for_checkers(program, path, site):
            target = leads(program, path, site)
            if target is not None and target != path:
                found.setdefault(target, site.line)
    return found


def _asks_for_checkers(program: Program, path: str, site: ImportSite) -> bool:
    """Whether the import stands under a name that is `TYPE_CHECKING`, wherever that is said."""
    if not site.condition:
        return False
    meant = program.project.resolve(f"{program.files[path].module}.{site.condition}")
    return any(one.name.endswith("TYPE_CHECKING") for one in meant)


def _are_for_checkers(program: Program, importers: Mapping[str, frozenset[str]], group: Collection[str]) -> bool:
    """Whether only type checkers load these files: all that leads to them begins under `TYPE_CHECKING`."""
    waiting = list(group)
    seen = set(group)
    is_asked = False
    for path in waiting:
        # What nobody imports is loaded by its name, and a package with anything in it.
        if not importers[path] or path.endswith("__init__.py"):
            return False
        for source in importers[path] - seen:
            if _only_for_checkers(program, source, path):
                is_asked = True
            else:
                seen.add(source)
                waiting.append(source)
    return is_asked


def _only_for_checkers(program: Program, path: str, target: str) -> bool:
    """Whether a file imports another under `TYPE_CHECKING` and nowhere else."""
    return all(
        site.guard == "type_checking"
        for site in program.files[path].outline.imports
        if target in imported_paths(program.project, path, site)
    )


def _shortest(edges: Mapping[str, frozenset[str]], group: tuple[str, ...]) -> list[str]:
    """The shortest way round in a group of files that all lead to each other, from its first file or from any."""
    members = set(group)
    best: list[str] = []
    for start in group[:_SHOWN]:
        before: dict[str, str] = {}
        waiting = [start]
        for path in waiting:
            for target in sorted(edges.get(path, ())):
                if target == start:
                    way = [path]
                    while way[-1] != start:
                        way.append(before[way[-1]])
                    way.reverse()
                    if not best or len(way) < len(best):
                        best = way
                    waiting.clear()
                    break
                if target in members and target not in before:
                    before[target] = path
                    waiting.append(target)
    return best
