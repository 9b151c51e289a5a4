"""Modules that others reach a moved symbol through: they change last, and not while anyone needs the old symbol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from carrel.migrate.references import Kind, Reference

__all__ = ["PathOf", "needed_facades", "with_facades_last"]

PathOf = Callable[[str], str | None]
"""Gives the file of a module."""
_THROUGH: Final[tuple[Kind, ...]] = ("import", "name", "call", "base", "annotation", "string_annotation")
"""What follows a facade when it changes. A patch names the facade itself, which keeps the name."""


def with_facades_last(references: Sequence[Reference], order: Sequence[str], path_of: PathOf) -> Iterator[Reference]:
    """The references, those in a facade in the phase of the last file that goes through it; `order` has the phases.

    A file stays whole: all of its references are edited in one phase.

    Changed earlier, a facade would give the new symbol to callers that still use it as the old one, and no scan could
    tell them from callers that have moved.
    """
    position = {name: index for index, name in enumerate(order)}
    last: dict[str, int] = {}
    for one in references:
        for path in _facades(one, path_of):
            last[path] = max(last.get(path, 0), position[one.phase])
    for one in references:
        late = last.get(one.path, 0)
        moves = one.certainty != "mention" and late > position[one.phase]
        yield replace(one, phase=order[late]) if moves else one


def needed_facades(references: Iterable[Reference], path_of: PathOf) -> dict[str, Mapping[str, str]]:
    """The facades that references which stay lead through: path -> old symbol -> why it must stay there."""
    found: dict[str, dict[str, str]] = {}
    for one in references:
        for path in _facades(one, path_of):
            reason = f"{one.path}:{one.line} still needs `{one.symbol}` through here"
            found.setdefault(path, {}).setdefault(one.symbol, reason)
    return dict(found)


def _facades(reference: Reference, path_of: PathOf) -> Iterator[str]:
    if reference.kind not in _THROUGH or reference.certainty not in ("certain", "mixed"):
        return
    for module in reference.via:
        path = path_of(module)
        if path is not None and path != reference.path:
            yield path
