"""What a recipe moves, as names that lead to it in a code base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from carrel.migrate.recipe import Recipe
from carrel.migrate.site import Site
from carrel.migrate.wanted import Wanted
from carrel.source import Project, Resolved

__all__ = ["Match", "Moved"]


@dataclass(frozen=True, slots=True)
class Match:
    """That a dotted name leads to something that moves."""

    symbol: str
    resolved_to: str
    via: tuple[str, ...]
    written: str
    mixed: str = ""


@dataclass(slots=True)
class _Thing:
    """One symbol or module of the recipe in its place: the file, and the name in it, empty for a module."""

    old: str
    path: str
    name: str
    home: str
    """The dotted name of the definition."""


@dataclass(slots=True)
class Moved:
    """Tells which dotted names lead to what a recipe moves."""

    recipe: Recipe
    project: Project
    _things: list[_Thing] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """The `old` names that the code base has no definition for."""
    _known: dict[str, list[Match | str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ends = set()
        for symbol in self.recipe.symbols:
            thing = self._place(symbol.old, symbol.new)
            self._things.append(thing)
            ends.add((thing.path, thing.name))
        for module in self.recipe.modules:
            path = self.project.path(module.old) or ""
            if not self.project.is_module(module.old):
                self.missing.append(module.old)
            self._things.append(_Thing(module.old, path, "", module.old))
        self.project.ends = frozenset(ends)

    def wanted(self) -> Wanted:
        """What to look for first."""
        names = [thing.old.rpartition(".")[2] for thing in self._things]
        names += [thing.name.rpartition(".")[2] for thing in self._things if thing.name]
        attributes = [name for one in self.recipe.attributes for name in one.rename]
        homes = {dotted.rpartition(".")[0] for thing in self._things for dotted in (thing.old, thing.home)}
        modules = {home.rpartition(".")[2] for home in homes}
        return Wanted(tuple(sorted(set(names))), (), tuple(sorted(set(attributes))), tuple(sorted(modules)))

    def other_names(self, paths: list[str], known: frozenset[str]) -> Iterator[tuple[str, str]]:
        """Further names at the top of modules that lead to what moves: the name, and its module's last part."""
        for path in paths:
            for name, exports in self.project.outline(path).exports.items():
                if name in known or not any(one.kind in ("import", "alias") for one in exports):
                    continue
                last = {part for one in exports for part in (*one.name.split("."), *one.module.split("."))}
                if known.isdisjoint(last):
                    continue
                module = self.project.name(path).dotted
                if self.match(f"{module}.{name}") is not None:
                    yield name, module.rpartition(".")[2]

    def match_site(self, site: Site) -> Match | None:
        """What a site refers to; `None` when none of its targets moves."""
        found: list[Match] = []
        other = ""
        for target in site.targets:
            match = self.match(target)
            if match is not None:
                found.append(match)
            elif not site.star or self._may_exist(target):
                other = other or target
        if not found:
            return None
        first = found[0]
        mixed = site.mixed or first.mixed
        if other and not mixed:
            mixed = f"it may be `{other}`, too"
        if any(one.symbol != first.symbol for one in found[1:]) and not mixed:
            mixed = f"it may be `{found[1].symbol}`, too"
        via = first.via
        for star in site.stars:
            if self._is_defined(star):
                mixed = mixed or f"a star import may bind it to `{star}`"
                same = self.match(star)
                via = (*via, *same.via) if same is not None else via
        return Match(first.symbol, first.resolved_to, via, first.written, mixed)

    def match(self, dotted: str) -> Match | None:
        """What a dotted name leads to: something that moves, or something inside it."""
        known = self._known.get(dotted)
        if known is None:
            known = self._known[dotted] = list(self._match(dotted))
        match = next((one for one in known if isinstance(one, Match)), None)
        if match is None:
            return None
        others = [one for one in known if isinstance(one, str)]
        mixed = f"it may be `{others[0]}`, too" if others else ""
        return Match(match.symbol, match.resolved_to, match.via, match.written, mixed)

    def is_home(self, path: str, symbol: str) -> bool:
        """Whether the file is the one that defines a symbol, or part of a module that moves."""
        for thing in self._things:
            if thing.old == symbol:
                return thing.path == path if thing.name else self._inside(path, thing)
        return False

    def homes(self) -> list[str]:
        """The files that define what moves."""
        return sorted({thing.path for thing in self._things if thing.path})

    def _match(self, dotted: str) -> Iterator[Match | str]:
        for resolved in self.project.resolve(dotted):
            thing = self._thing(resolved)
            if thing is not None:
                yield Match(thing.old, self._name(resolved, thing), resolved.via, dotted)
            elif not _is_fallback(resolved):
                yield self._name(resolved, None)

    def _thing(self, resolved: Resolved) -> _Thing | None:
        best: _Thing | None = None
        for thing in self._things:
            if self._is(resolved, thing) and (best is None or len(thing.old) > len(best.old)):
                best = thing
        return best

    def _is(self, resolved: Resolved, thing: _Thing) -> bool:
        if resolved.kind == "definition":
            if thing.name:
                same = resolved.path == thing.path
                return same and (resolved.name == thing.name or resolved.name.startswith(f"{thing.name}."))
            return bool(thing.path) and self._inside(resolved.path, thing)
        if resolved.kind == "module":
            return not thing.name and _below(resolved.name, thing.old)
        return _below(resolved.name, thing.old)

    def _inside(self, path: str, thing: _Thing) -> bool:
        return path == thing.path or any(_below(name.dotted, thing.old) for name in self.project.names(path))

    def _name(self, resolved: Resolved, thing: _Thing | None) -> str:
        if resolved.kind != "definition":
            return resolved.name
        if thing is not None and thing.name:
            return thing.home + resolved.name[len(thing.name) :]
        return f"{self.project.name(resolved.path).dotted}.{resolved.name}"

    def _may_exist(self, dotted: str) -> bool:
        return any(one.kind in ("definition", "external") for one in self.project.resolve(dotted))

    def _is_defined(self, dotted: str) -> bool:
        """Whether a name leads to a definition of the tree."""
        return any(one.kind == "definition" for one in self.project.resolve(dotted))

    def _place(self, old: str, new: str) -> _Thing:
        """Where a symbol is defined: where its name leads, but never to the new one that it may be an alias of."""
        found = self.project.definition(old)
        news = {one.key for one in self.project.resolve(new)}
        if found is not None and found.key not in news:
            module = old.removesuffix(f".{found.name}")
            home = (
                old
                if self.project.path(module) == found.path
                else f"{self.project.name(found.path).dotted}.{found.name}"
            )
            return _Thing(old, found.path, found.name, home)
        parts = old.split(".")
        for index in range(len(parts) - 1, 0, -1):
            path = self.project.path(".".join(parts[:index]))
            if path is not None:
                name = ".".join(parts[index:])
                if parts[index] not in self.project.outline(path).exports:
                    self.missing.append(old)
                return _Thing(old, path, name, old)
        if self.project.is_module(parts[0]):
            self.missing.append(old)
        return _Thing(old, "", parts[-1], old)


def _below(name: str, old: str) -> bool:
    return name == old or name.startswith(f"{old}.")


def _is_fallback(resolved: Resolved) -> bool:
    export = resolved.export
    return export is not None and export.conditional and export.kind in ("value", "class", "function")
