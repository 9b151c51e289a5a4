"""Removes what a migration leaves behind: shims, old modules and old symbols that nothing refers to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carrel.errors import SourceError
from carrel.migrate.data_names import is_recipe
from carrel.migrate.gates.unparsable import compile_problem
from carrel.migrate.recipe import MovedModule, MovedSymbol, PhaseRule, Recipe
from carrel.migrate.references import Reference, find_references
from carrel.migrate.removal import remove_symbols
from carrel.source import Outline, Project, SourceTree, read_module, read_outline

__all__ = ["Absent", "CleanupOutcome", "Needed", "Removal", "clean_up"]

_PROSE: Final = (".md", ".rst", ".txt", ".html", ".log")
"""Files that no program takes a name from: a mention there keeps nothing."""
_LARGEST: Final = 1 << 20
"""Bytes of the largest file beside the code that is searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A file without what is removed from it."""

    names: tuple[str, ...]
    path: str
    before: bytes
    after: bytes | None
    """`None` when the whole file goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Something that stays, and why."""

    name: str
    users: tuple[str, ...]
    """Who refers to it, as `path:line: text`; or the reason why it cannot be taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Something that is not there (any more)."""

    name: str


CleanupOutcome = Removal | Needed | Absent


def clean_up(root: str | Path, recipe: Recipe, *, jobs: int = 0, cache: bool = True) -> tuple[CleanupOutcome, ...]:
    """What becomes of each name in the recipe's `cleanup`. Writes nothing.

    A name stays while anything refers to it: an import, a use, a string that spells it in code, a pickle, or a file
    beside the code that programs read (`pyproject.toml`, YAML, a Dockerfile). What is removed at the same time keeps
    nothing.
    """
    tree = SourceTree(root, exclude=recipe.tree.exclude)
    project = Project([file.path for file in tree.files()], lambda path: _outline(tree, path), roots=recipe.tree.roots)
    places = {name: place for name in recipe.cleanup.remove if (place := _place(project, name)) is not None}
    outcomes: list[CleanupOutcome] = [Absent(name=name) for name in recipe.cleanup.remove if name not in places]
    users = _users(tree, recipe, places, jobs=jobs, cache=cache)
    needed = _needed(places, users)
    outcomes += [Needed(name=name, users=found) for name, found in needed.items()]
    by_path: dict[str, list[str]] = defaultdict(list)
    for name, place in places.items():
        if name not in needed:
            by_path[place.path].append(name)
    outcomes += [_removal(tree, project, path, names, places) for path, names in sorted(by_path.items())]
    return tuple(outcomes)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a name is defined: the file, the name in it (empty for the file itself), and the lines."""

    path: str
    symbol: str
    first: int = 0
    last: int = 0

    def holds(self, path: str, line: int) -> bool:
        return path == self.path and (not self.symbol or self.first <= line <= self.last)


@dataclass(frozen=True, slots=True)
class _User:
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def _place(project: Project, name: str) -> _Place | None:
    path = project.path(name)
    if path is not None:
        return _Place(path, "")
    module, _, symbol = name.rpartition(".")
    path = project.path(module)
    if path is None:
        return None
    exports = project.outline(path).exports
    # A shim binds the name for type checkers only; what makes its stand-in is what goes.
    found = exports.get(f"_moved_{symbol}") or exports.get(symbol)
    return _Place(path, symbol, found[0].line, found[0].end_line or found[0].line) if found else None


def _users(
    tree: SourceTree, recipe: Recipe, places: Mapping[str, _Place], *, jobs: int, cache: bool
) -> dict[str, list[_User]]:
    if not places:
        return {}
    found: dict[str, list[_User]] = defaultdict(list)
    for reference in find_references(tree, _asking_for(recipe, places), jobs=jobs, cache=cache).references:
        if reference.kind != "data":  # those are among what is searched below
            found[reference.symbol].append(_User(reference.path, reference.line, _said(reference)))
    for path, text in _texts(tree):
        for name, place in places.items():
            for match in _pattern(name, place).finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found[name].append(_User(path, line, match[0]))
    return found


def _asking_for(recipe: Recipe, places: Mapping[str, _Place]) -> Recipe:
    """A recipe that moves just what is to be removed, so that a scan finds who refers to it."""
    # With its real new name, a shim is not taken for that.
    news = {one.old: one.new for one in recipe.shims} | {one.old: one.new for one in recipe.symbols}
    return Recipe(
        schema_version=recipe.schema_version,
        name=f"{recipe.name}: clean up",
        symbols=tuple(
            MovedSymbol(old=name, new=news.get(name, f"{name}_")) for name, place in places.items() if place.symbol
        ),
        modules=tuple(MovedModule(old=name, new=f"{name}_") for name, place in places.items() if not place.symbol),
        phases=(PhaseRule(name="all", paths=("**",)),),
        tree=recipe.tree,
    )


def _said(reference: Reference) -> str:
    return f"{reference.kind} {reference.text}"


def _texts(tree: SourceTree) -> Iterator[tuple[str, str]]:
    """The files beside the code that programs may take names from."""
    for file in tree.files(suffixes=("",)):
        if file.is_python or file.size > _LARGEST or file.path.lower().endswith(_PROSE):
            continue
        data = tree.read(file.path)
        if b"\0" not in data and not is_recipe(data):
            yield file.path, data.decode(errors="replace")


def _pattern(name: str, place: _Place) -> re.Pattern[str]:
    """`package.module:Name`, `package.module.Name`; for a module also its path."""
    if not place.symbol:
        return re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)|(?<![\w/.]){re.escape(place.path)}(?![\w/])")
    module = name.rpartition(".")[0]
    return re.compile(rf"(?<![\w.]){re.escape(module)}[.:]{re.escape(place.symbol)}(?!\w)")


def _needed(places: Mapping[str, _Place], users: Mapping[str, Sequence[_User]]) -> dict[str, tuple[str, ...]]:
    """The names that something refers to which stays; what only they refer to stays with them."""
    needed: dict[str, tuple[str, ...]] = {}
    while True:
        going = [place for name, place in places.items() if name not in needed]
        found = {
            name: tuple(str(user) for user in users.get(name, ()) if not _goes(going, user))
            for name in places
            if name not in needed
        }
        new = {name: staying for name, staying in found.items() if staying}
        if not new:
            return needed
        needed.update(new)


def _goes(going: Sequence[_Place], user: _User) -> bool:
    return any(place.holds(user.path, user.line) for place in going)


def _removal(
    tree: SourceTree, project: Project, path: str, names: Sequence[str], places: Mapping[str, _Place]
) -> Removal | Needed:
    before = tree.read(path)
    whole = [name for name in names if not places[name].symbol]
    if whole:
        package = path.removesuffix("__init__.py") if path.endswith("__init__.py") else ""
        going = {place.path for place in places.values() if not place.symbol}
        staying = [one for one in project.paths if package and one.startswith(package) and one not in going]
        if staying:
            return Needed(name=whole[0], users=tuple(f"{one}: a module of the package" for one in staying))
        return Removal(names=tuple(names), path=path, before=before, after=None)
    try:
        module = read_module(path, project.name(path), before)
        after = remove_symbols(module, [places[name].symbol for name in names])
    except (SourceError, ValueError) as error:
        return Needed(name=", ".join(names), users=(str(error),))
    problem = compile_problem(path, after)
    if problem:
        return Needed(name=", ".join(names), users=(f"the rest would not compile: {problem}",))
    return Removal(names=tuple(names), path=path, before=before, after=after)


def _outline(tree: SourceTree, path: str) -> Outline:
    try:
        return read_outline(tree.read(path))
    except SourceError as error:
        return Outline(error=error.problem)
