"""What a moved symbol is called in one file after the move."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from carrel.migrate.recipe import MovedSymbol, Recipe
from carrel.migrate.references import Reference
from carrel.source import Module

__all__ = ["LocalName", "local_names", "maker_names"]

_USES = ("call", "base", "annotation", "name", "string_annotation")


@dataclass(frozen=True, slots=True)
class LocalName:
    """The name that a file binds to a moved symbol, and the one that it binds afterwards."""

    symbol: MovedSymbol
    before: str
    after: str

    @property
    def imported(self) -> str:
        """What stands in `from module import …`."""
        name = self.symbol.new_name
        return name if name == self.after else f"{name} as {self.after}"


def local_names(
    module: Module, recipe: Recipe, references: Sequence[Reference], kept: Collection[str]
) -> dict[tuple[str, str], LocalName]:
    """The names of each symbol in a file, by old dotted name and the name bound now.

    A name stays, and the import says `New as Old`, where the recipe wants it, where the import says so already, where
    others reach it in this module (`kept`), where not all its uses are certain, and where the new name is taken.
    """
    found: dict[tuple[str, str], LocalName] = {}
    for reference in references:
        symbol = recipe.symbol(reference.symbol)
        if reference.kind == "import" and symbol is not None and reference.bound:
            mine = _of(references, symbol.old, reference.bound)
            found[symbol.old, reference.bound] = _named(module, symbol, mine, kept)
    return found


def maker_names(
    module: Module, makers: Mapping[Reference, MovedSymbol], references: Sequence[Reference], kept: Collection[str]
) -> dict[tuple[str, str], LocalName]:
    """The names of the functions that take old arguments, by their dotted name and by the name bound now.

    `makers` has each call that needs one, with its symbol as if it had moved to the function. Where a name has no other
    use, the old dotted name leads to the function too: it is then imported in the place of the symbol.
    """
    found: dict[tuple[str, str], LocalName] = {}
    for call, symbol in makers.items():
        bound = call.bound
        if "." in call.text or (symbol.new, bound) in found:
            continue
        mine = _of(references, symbol.old, bound)
        imported = any(one.kind == "import" for one in mine)
        if not imported and not any(one.text == "*" and one.symbol == symbol.old for one in references):
            continue
        alone = imported and all(one in makers or one.kind == "import" for one in mine)
        if alone and bound not in kept and _all_found(module, bound, mine):
            found[symbol.old, bound] = found[symbol.new, bound] = _named(module, symbol, mine, kept)
        else:
            free = _is_free(module, symbol, bound)
            found[symbol.new, bound] = LocalName(symbol, bound, symbol.new_name if free else f"_{symbol.new_name}")
    return found


def _of(references: Sequence[Reference], old: str, bound: str) -> list[Reference]:
    return [one for one in references if one.symbol == old and one.bound == bound]


def _named(module: Module, symbol: MovedSymbol, mine: Sequence[Reference], kept: Collection[str]) -> LocalName:
    bound = mine[0].bound
    renames = (
        symbol.alias == "rename"
        and not any(_is_aliased(one) for one in mine)
        and bound not in kept
        and all(one.certainty == "certain" for one in mine)
        and _all_found(module, bound, mine)
        and _is_free(module, symbol, bound)
    )
    return LocalName(symbol, bound, symbol.new_name if renames else bound)


def _is_aliased(reference: Reference) -> bool:
    return reference.kind == "import" and re.search(r"\sas\s", reference.text) is not None


def _all_found(module: Module, bound: str, references: Sequence[Reference]) -> bool:
    """Whether every use and every binding of the name in the file is one of the references."""
    places = {(one.line, one.column) for one in references}
    for use in module.uses:
        if use.name == bound and use.exact and (use.node.lineno, use.node.col_offset) not in places:
            return False
    for scope in module.scopes.scopes.values():
        for binding in scope.bindings.get(bound, ()):
            node = binding.node
            place = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
            if place not in places and not _names(node, references):
                return False
    return True


def _names(node: object, references: Sequence[Reference]) -> bool:
    """Whether the name of a class or function statement is one of the references: it stands later in the line."""
    line = getattr(node, "lineno", 0)
    return any(one.kind == "fallback_store" and one.line == line for one in references)


def _is_free(module: Module, symbol: MovedSymbol, bound: str) -> bool:
    """Whether the new name is unused in the file, or already stands for the new symbol everywhere."""
    name = symbol.new_name
    if name == bound:
        return True
    for scope in module.scopes.scopes.values():
        for binding in scope.bindings.get(name, ()):
            if binding.target is None or module.imported(binding) != symbol.new:
                return False
    bound_here = any(name in scope.bindings for scope in module.scopes.scopes.values())
    return bound_here or not any(use.name == name for use in module.uses)
