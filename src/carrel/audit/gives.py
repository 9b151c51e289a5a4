"""What a function gives back that its callers in other files have to know of."""

from __future__ import annotations

import ast

from carrel.audit.blocks import Block
from carrel.audit.callers import claimed, names_user, origins, prover
from carrel.audit.conditions import Given
from carrel.audit.file_view import FileView
from carrel.audit.fixed_paths import gives_fixed_path
from carrel.audit.nobody import gives_stand_in

__all__ = ["given_back"]


def given_back(view: FileView, function: Block) -> tuple[Given, ...]:
    """Everything of `Given` that some value of the function is."""
    found: list[Given] = []
    if _gives_claimed(view, function):
        found.append("claimed")
    if gives_stand_in(view, function):
        found.append("stand-in")
    if gives_fixed_path(view, function):
        found.append("fixed-path")
    return tuple(found)


def _gives_claimed(view: FileView, function: Block) -> bool:
    """Whether it gives who the client says that it is: `return request.headers["x-tenant-id"]`."""
    values = [one.value for one in function.nodes(ast.Return) if one.value is not None]
    parts = [part for value in values for part in origins(view, value, function)]
    said = [claimed(view, part, function) for part in parts]
    # A helper that also knows who is calling may have compared the two.
    return bool(said) and all(said) and any(map(names_user, said)) and not prover(view, function)
