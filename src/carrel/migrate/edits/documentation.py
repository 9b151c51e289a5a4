"""Names in docstrings, comments and text files, in a phase that takes documentation."""

from __future__ import annotations

from carrel.migrate.recipe import Recipe
from carrel.migrate.references import Reference

__all__ = ["new_mention"]


def new_mention(recipe: Recipe, reference: Reference) -> str | None:
    """What a mention becomes: the new dotted name for the whole old one, the new name for the name alone."""
    symbol = recipe.symbol(reference.symbol)
    if symbol is not None:
        if reference.text == symbol.old:
            return symbol.new
        if reference.text == symbol.old_module:
            return symbol.new_module
        return symbol.new_name if reference.text == symbol.old_name else None
    moved = next((one for one in recipe.modules if one.old == reference.symbol), None)
    return moved.new if moved is not None and reference.text == moved.old else None
