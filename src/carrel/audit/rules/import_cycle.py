"""Modules that import each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from carrel.audit.program import Program
from carrel.audit.roles import is_test_path
from carrel.audit.rule import Candidate, rule_page
from carrel.findings import Location, RuleInfo
from carrel.source.import_graph import ImportGraph, imported_paths

__all__ = ["ImportCycle"]

_SHOWN: Final = 8


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
        edges = {path: _imports(program, path) for path in program.files}
        for group in ImportGraph(edges, edges).cycles():
            way = _shortest(edges, group)
            if not way or any(is_test_path(path) for path in way):
                continue
            first, second = way[0], way[1 % len(way)]
            names = " > ".join(f"`{program.files[path].module}`" for path in (*way[:_SHOWN], first))
            more = f", in a group of {len(group)} modules that all lead to each other" if len(group) > len(way) else ""
            yield Candidate(
                rule=self.info.rule, location=_import(program, first, second), message=f"{names}{more}",
                related=tuple(_import(program, path, way[(index + 1) % len(way)])
                              for index, path in enumerate(way[:_SHOWN]) if index),
            )  # fmt: skip


def _imports(program: Program, path: str) -> frozenset[str]:
    """The files that a file imports while it is loaded; of `from package import module`, the module alone."""
    found: set[str] = set()
    for site in program.files[path].outline.imports:
        if site.top and site.guard != "type_checking":
            found.update(imported_paths(program.project, path, site)[:1])
    return frozenset(found - {path})


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


def _import(program: Program, path: str, target: str) -> Location:
    """The line of the file that imports the other one."""
    for site in program.files[path].outline.imports:
        if site.top and site.guard != "type_checking" and target in imported_paths(program.project, path, site)[:1]:
            return Location(path=path, line=site.line, note=f"imports `{program.files[target].module}`")
    return Location(path=path, line=1)
