"""Functions that take what an old constructor took, for calls that no way of the recipe fits."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from carrel.errors import MigrationError, SourceError
from carrel.migrate.file_gate import unbound_names
from carrel.migrate.gates.unparsable import compile_problem
from carrel.migrate.outcome import Edited, FileOutcome, LeftReference, Refused, Unchanged
from carrel.migrate.recipe import Constructor, MovedSymbol, Recipe, Shim
from carrel.migrate.shim_text import ShimText
from carrel.source import Project, SourceText, SourceTree, read_module

__all__ = ["Maker", "missing_makers", "with_makers"]


@dataclass(frozen=True, slots=True)
class Maker:
    """One function that has to be written: its dotted name, the file that it belongs in, and its text."""

    name: str
    path: str
    text: str


def missing_makers(recipe: Recipe, tree: SourceTree, project: Project, symbols: Collection[str]) -> list[Maker]:
    """The `maker` functions for some moved symbols that their modules do not define yet.

    Raises `MigrationError` for one that cannot be written where the recipe wants it.
    """
    found = []
    for constructor in recipe.constructors:
        symbol = recipe.symbol(constructor.symbol)
        if constructor.maker and symbol is not None and symbol.old in symbols:
            if all(one.kind in ("definition", "external") for one in project.resolve(constructor.maker)):
                continue
            found.append(_maker(tree, project, constructor, symbol))
    return found


def with_makers(
    tree: SourceTree, makers: Iterable[Maker], outcomes: Mapping[str, FileOutcome]
) -> Iterator[tuple[str, Edited]]:
    """The files that makers are written to, by path, with what else is edited in them.

    `outcomes` are those of the other edits. Only makers that one of them needs are written.
    """
    needed = {name for one in outcomes.values() if isinstance(one, Edited) for name in one.makers}
    edited: dict[str, Edited] = {}
    for maker in makers:
        if maker.name in needed:
            before = edited.get(maker.path) or _as_edited(tree, maker.path, outcomes.get(maker.path))
            after = _appended(before.after, maker.text)
            edited[maker.path] = Edited(
                path=maker.path, before=before.before, after=after, edits=before.edits + 1, left=before.left,
                makers=before.makers,
            )  # fmt: skip
    yield from edited.items()


def _maker(tree: SourceTree, project: Project, constructor: Constructor, symbol: MovedSymbol) -> Maker:
    module, _, name = constructor.maker.rpartition(".")
    path = project.path(module)
    if path is None or (tree.root / path).is_symlink():
        what = "is a symbolic link" if path is not None else "is not in this code base"
        raise MigrationError(
            f"the module of the maker `{constructor.maker}` {what}; make the file (it may be empty) and commit it, "
            "or name another module in the recipe"
        )
    text = ShimText(
        shim=Shim(old=symbol.old, new=symbol.new),
        kind="async function" if _is_async(tree, project, symbol.old) else "class",
        new_is_class=any(one.export is not None and one.export.kind == "class" for one in project.resolve(symbol.new)),
        constructor=constructor,
        renamed={},
    ).maker(name, module)
    problem = _problem(tree, project, path, text)
    if problem:
        raise MigrationError(
            f"the maker `{constructor.maker}` cannot be written: {problem}; give the names that the recipe's "
            "expressions and defaults need in `imports`, or write the function yourself"
        )
    return Maker(constructor.maker, path, text)


def _problem(tree: SourceTree, project: Project, path: str, text: str) -> str:
    """Why a function cannot be added to a file; empty when it can."""
    try:
        before = tree.read(path)
        after = _appended(before, text)
        names = unbound_names(read_module(path, project.name(path), after))
        new = names - unbound_names(read_module(path, project.name(path), before))
    except SourceError as error:
        return str(error)
    return compile_problem(path, after) or (f"nothing binds `{min(new)}` in {path}" if new else "")


def _as_edited(tree: SourceTree, path: str, outcome: FileOutcome | None) -> Edited:
    """What becomes of a file without the makers."""
    match outcome:
        case Edited():
            return outcome
        case Refused():
            left = tuple(LeftReference(reference=one, reason=outcome.reason) for one in outcome.references)
        case Unchanged():
            left = outcome.left
        case None:
            left = ()
    data = tree.read(path)
    return Edited(path=path, before=data, after=data, edits=0, left=left)


def _appended(data: bytes, text: str) -> bytes:
    """A file with a function at its end, in its own encoding and with its own line ends."""
    source = SourceText(data)
    newline = "\r\n" if b"\r\n" in source.utf8 else "\n"
    ended = not source.utf8 or source.utf8.endswith((b"\n", b"\r"))
    gap = ("" if ended else "\n") + ("\n\n" if source.utf8.strip() else "")
    return source.encode(source.utf8 + (gap + text).replace("\n", newline).encode())


def _is_async(tree: SourceTree, project: Project, old: str) -> bool:
    """Whether what moves is a function that its callers await."""
    found = project.definition(old)
    if found is None:
        return False
    try:
        body = SourceText(tree.read(found.path)).parse().body
    except SourceError:
        return False
    return any(isinstance(one, ast.AsyncFunctionDef) and one.name == found.name for one in body)
