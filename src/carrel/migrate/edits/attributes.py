"""Attributes and methods that have other names now."""

from __future__ import annotations

from carrel.migrate.edits.file_edit import FileEdit
from carrel.migrate.references import Kind

__all__ = ["AttributeEdit"]


class AttributeEdit:
    """`engine.shutdown()` becomes `engine.close()`, where the object is certainly one of the class."""

    kinds: tuple[Kind, ...] = ("attribute",)

    def edit(self, file: FileEdit) -> None:
        for reference in file.of_kind(*self.kinds):
            new = file.recipe.renamed(reference.symbol).get(reference.text)
            if new is None:
                file.leave(reference, f"the recipe has no new name for `{reference.text}`")
            else:
                file.replace(reference, new)
