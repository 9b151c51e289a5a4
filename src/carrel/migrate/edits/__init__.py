"""One file per kind of edit; each takes the references of its kinds and puts new text in their place."""

from __future__ import annotations

from typing import Final, Protocol

from carrel.migrate.edits.attributes import AttributeEdit
from carrel.migrate.edits.file_edit import FileEdit
from carrel.migrate.edits.imports import ImportEdit
from carrel.migrate.edits.strings import BoundNameEdit, PatchTargetEdit
from carrel.migrate.edits.uses import CallEdit, UseEdit
from carrel.migrate.references import Kind

__all__ = ["EDITS", "ReferenceEdit"]


class ReferenceEdit(Protocol):
    """Edits one kind of reference."""

    kinds: tuple[Kind, ...]

    def edit(self, file: FileEdit) -> None:
        """Put new text in the place of the references of these kinds, or leave them with a reason."""
        ...


EDITS: Final[tuple[ReferenceEdit, ...]] = (
    ImportEdit(),
    UseEdit(),
    AttributeEdit(),
    BoundNameEdit(),
    PatchTargetEdit(),
    CallEdit(),
)
"""In this order: what stands inside a call is edited before the call is written anew."""
