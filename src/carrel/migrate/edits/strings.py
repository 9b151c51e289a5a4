"""Names that stand in strings and in fallbacks: `__all__`, targets of patches, `X = None` beside an import."""

from __future__ import annotations

from carrel.migrate.edits.file_edit import FileEdit
from carrel.migrate.references import Kind, Reference

__all__ = ["BoundNameEdit", "PatchTargetEdit"]


class BoundNameEdit:
    """The name follows the import that it stands beside."""

    kinds: tuple[Kind, ...] = ("dunder_all", "fallback_store")

    def edit(self, file: FileEdit) -> None:
        for reference in file.of_kind(*self.kinds):
            name = next((one for (old, bound), one in file.names.items()
                         if old == reference.symbol and bound == reference.text), None)  # fmt: skip
            if name is not None:
                file.replace(reference, name.after)


class PatchTargetEdit:
    """`patch("old.module.Name")` patches the new module; a name patched where it is used stays bound there."""

    kinds: tuple[Kind, ...] = ("patch_target",)

    def edit(self, file: FileEdit) -> None:
        for reference in file.of_kind(*self.kinds):
            new = _new_target(file, reference)
            if new is None:
                continue
            if reference.text == reference.written:
                file.replace(reference, new)
            elif reference.via:
                continue
            else:
                file.leave(reference, f"patches `{reference.written}` through an object; patch `{new}` instead")


def _new_target(file: FileEdit, reference: Reference) -> str | None:
    """The dotted name to patch instead; `None` where the module that is patched keeps the name."""
    if reference.via:
        return None
    symbol = file.recipe.symbol(reference.symbol)
    moved = file.moved_module(reference)
    old = reference.symbol
    rest = reference.written[len(old) :] if reference.written.startswith(old) else ""
    if symbol is not None:
        head, *more = rest.lstrip(".").split(".") if rest else ("",)
        renamed = file.recipe.renamed(old).get(head, head)
        tail = ".".join(part for part in (renamed, *more) if part)
        return f"{symbol.new}.{tail}" if tail else symbol.new
    return moved.new + rest if moved is not None else None
