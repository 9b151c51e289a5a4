"""What a dotted name stands for, followed through the re-exports of a code base to its definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from carrel.source.module_names import ModuleName, module_names, source_roots
from carrel.source.outline import Export, Outline

__all__ = ["Project", "Resolved"]

_LONGEST: Final = 50
"""Re-exports followed before a chain counts as endless."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a dotted name leads."""

    kind: Literal["definition", "module", "external", "missing"]
    """`external`: its top package is not in this code base. `missing`: its module is here, and has no such name."""
    path: str = ""
    """The file that defines it."""
    name: str = ""
    """The name in that file (`Class.method`, `CONSTANT`); the dotted name as given for `external` and `missing`."""
    via: tuple[str, ...] = ()
    """The modules that re-export it, from the name asked for to the definition."""
    export: Export | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Equal for equal definitions."""
        return self.path, self.name


class Project:
    """The modules of one code base, each known by its path and read when it is needed.

    `outline` gives the outline of a path; it is asked once for each file that a name leads through. `ends` holds names
    in files, `(path, name)`, that are definitions even where the file itself has them from elsewhere. `also` are paths
    by further names of modules, which the roots do not give.
    """

    def __init__(
        self,
        paths: Iterable[str],
        outline: Callable[[str], Outline],
        *,
        roots: Iterable[str] = (),
        ends: Iterable[tuple[str, str]] = (),
        also: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.paths = tuple(paths)
        self.ends = frozenset(ends)
        self.roots = source_roots(frozenset(self.paths), roots)
        self._outline = outline
        self._outlines: dict[str, Outline] = {}
        self._given: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._by_name, self._names = _name_modules(self.paths, self.roots)
        self._by_name.update(also)
        self._packages = frozenset(parent for name in self._by_name for parent in _parents(name))

    def name(self, path: str) -> ModuleName:
        """The name that the file is imported by: from the nearest root that has it."""
        names = self._names.get(path)
        return names[0] if names else ModuleName(path.removesuffix(".py").replace("/", "."), is_package=False)

    def names(self, path: str) -> tuple[ModuleName, ...]:
        """Every name that the file can be imported by."""
        return self._names.get(path, ())

    def path(self, module: str) -> str | None:
        """The file of a module; `None` for one that is not here, or a package without `__init__.py`."""
        return self._by_name.get(module)

    def is_module(self, dotted: str) -> bool:
        return dotted in self._by_name or dotted in self._packages

    def outline(self, path: str) -> Outline:
        found = self._outlines.get(path)
        if found is None:
            found = self._outlines[path] = self._outline(path)
        return found

    def resolve(self, dotted: str) -> tuple[Resolved, ...]:
        """Everything that the dotted name may stand for: several where a name is bound conditionally.

        A name inside a definition (`Class.method`, an attribute of a value) resolves to the definition with the rest
        of the name, whether or not the class has that member.
        """
        found = self._resolve(dotted, (), frozenset(), {})
        return tuple(found)

    def definition(self, dotted: str) -> Resolved | None:
        """The one definition of a dotted name in this code base; `None` when there is none, or more than one."""
        found = self.resolve(dotted)
        return found[0] if len(found) == 1 and found[0].kind == "definition" else None

    def canonical(self, dotted: str) -> str:
        """The dotted name of the definition, or the name as given where there is no single one."""
        found = self.resolve(dotted)
        if len(found) != 1 or found[0].kind != "definition":
            return dotted
        return f"{self.name(found[0].path).dotted}.{found[0].name}"

    def same(self, one: str, other: str) -> bool:
        """Whether two dotted names stand for one definition."""
        return self.canonical(one) == self.canonical(other)

    def exported(self, path: str) -> Mapping[str, tuple[str, ...]]:
        """What `from module import *` brings: each name with the dotted names that it may come from."""
        found = self._given.get(path)
        if found is None:
            found = self._given[path] = self._exported(path, frozenset())
        return found

    def _resolve(
        self, dotted: str, via: tuple[str, ...], seen: frozenset[str], known: dict[str, list[Resolved]]
    ) -> list[Resolved]:
        """`seen` are the names on the way here. `known` has the names that other ways have led to already: without it
        packages that import each other with `*` are followed along every way that there is."""
        found = known.get(dotted)
        if found is None:
            if dotted in seen or len(seen) > _LONGEST:
                return [Resolved("missing", name=dotted, via=via)]
            found = known[dotted] = _distinct(self._follow(dotted, via, seen | {dotted}, known))
        return found

    def _follow(
        self, dotted: str, via: tuple[str, ...], seen: frozenset[str], known: dict[str, list[Resolved]]
    ) -> list[Resolved]:
        parts = dotted.split(".")
        if not self.is_module(parts[0]):
            return [Resolved("external", name=dotted, via=via)]
        module = parts[0]
        for index in range(1, len(parts)):
            found = self._member(module, parts[index], parts[index + 1 :], via, seen, known)
            if found:
                return found
            inner = f"{module}.{parts[index]}"
            if not self.is_module(inner):
                return [Resolved("missing", name=dotted, via=via)]
            module = inner
        return [Resolved("module", self._by_name.get(module, ""), module, via)]

    def _member(
        self, module: str, name: str, rest: list[str], via: tuple[str, ...], seen: frozenset[str],
        known: dict[str, list[Resolved]],
    ) -> list[Resolved]:  # fmt: skip
        """What `name` in a module leads to; empty when the module's text does not bind it."""
        path = self._by_name.get(module)
        if path is None:
            return []
        if (path, name) in self.ends:
            return [Resolved("definition", path, ".".join((name, *rest)), via)]
        outline = self.outline(path)
        found: list[Resolved] = []
        for export in outline.exports.get(name, ()):
            found += self._export(path, module, name, export, rest, via, seen, known)
        if found:
            # `X = None` in the handler of an import is a second binding, and so is a real second definition.
            return found
        for star in outline.stars:
            source = self._source(path, star.level, star.module)
            if source is None or not self._gives(source, name):
                continue
            found += self._resolve(".".join((source, name, *rest)), (*via, module), seen, known)
        return found

    def _export(
        self, path: str, module: str, name: str, export: Export, rest: list[str], via: tuple[str, ...],
        seen: frozenset[str], known: dict[str, list[Resolved]],
    ) -> list[Resolved]:  # fmt: skip
        if export.kind == "import":
            source = self._source(path, export.level, export.module)
            if source is None:
                return [Resolved("missing", name=name, via=via)]
            target = ".".join(part for part in (source, export.name, *rest) if part)
            if target == f"{module}.{name}" or target.startswith(f"{module}.{name}."):
                return []  # `from . import name` in a package: the submodule of that name
            return self._resolve(target, (*via, module), seen, known)
        if export.kind == "alias":
            head, _, tail = export.name.partition(".")
            if head in self.outline(path).exports and head != name:
                target = ".".join(part for part in (module, head, tail, *rest) if part)
                return self._resolve(target, via, seen, known)
        return [Resolved("definition", path, ".".join((name, *rest)), via, export)]

    def _gives(self, module: str, name: str) -> bool:
        path = self._by_name.get(module)
        return path is not None and name in self.exported(path)

    def _exported(self, path: str, seen: frozenset[str]) -> dict[str, tuple[str, ...]]:
        if path in seen:
            return {}
        outline = self.outline(path)
        module = self.name(path).dotted
        given: dict[str, tuple[str, ...]] = {}
        for star in outline.stars:
            source = self._source(path, star.level, star.module)
            inner = self._by_name.get(source) if source else None
            if inner is not None:
                given.update(self._given.get(inner) or self._exported(inner, seen | {path}))
        given.update((name, (f"{module}.{name}",)) for name in outline.exports)
        if outline.public is not None:
            return {name: given.get(name, (f"{module}.{name}",)) for name in outline.public}
        return {name: sources for name, sources in given.items() if not name.startswith("_")}

    def _source(self, path: str, level: int, module: str) -> str | None:
        """The module that an import in the file names, under a name that exists where one does."""
        names = self._names.get(path, ())
        candidates = [name.absolute(level, module) for name in names] if level else [module]
        for candidate in candidates:
            if candidate and self.is_module(candidate):
                return candidate
        return candidates[0] if candidates else None


def _distinct(found: Iterable[Resolved]) -> list[Resolved]:
    """Each meaning once, by the last way that leads to it."""
    return list({(one.kind, one.key): one for one in found}.values())


def _name_modules(
    paths: Iterable[str], roots: Iterable[str]
) -> tuple[dict[str, str], dict[str, tuple[ModuleName, ...]]]:
    by_name: dict[str, str] = {}
    names: dict[str, tuple[ModuleName, ...]] = {}
    roots = tuple(roots)
    for path in paths:
        names[path] = module_names(path, roots)
        for name in names[path]:
            # A stub never hides the module, and the package comes before a module of its name, as in Python.
            known = by_name.get(name.dotted)
            if known is None or (known.endswith(".pyi") and path.endswith(".py")) or _shadows(path, known):
                by_name[name.dotted] = path
    return by_name, names


def _shadows(path: str, known: str) -> bool:
    return path.endswith("/__init__.py") and not known.endswith(("/__init__.py", "/__init__.pyi"))


def _parents(name: str) -> Iterable[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
