"""The places of a file that store something in a `threading.local`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.held import held_calls, is_in_finally
from carrel.audit.mutations import Mutation
from carrel.audit.run_conditions import ThreadLocal

__all__ = ["clearing", "stores_elsewhere", "thread_local_stores", "thread_locals"]

_LOCAL: Final = "threading.local"


def thread_locals(view: FileView) -> tuple[str, ...]:
    """The names of the module and its classes that hold a `threading.local`, or an object of a class below it."""
    return tuple(held.symbol for held in held_calls(view, (_LOCAL, *_classes(view))))


def _classes(view: FileView) -> dict[str, Block]:
    return {owner.symbol: owner for owner in view.classes if _LOCAL in view.base_paths(owner)}


def thread_local_stores(view: FileView) -> Iterator[Mutation]:
    """The stores of something that may differ from request to request; constants and removals are none."""
    for mutation in _changes(view):
        if not mutation.removes and not all(isinstance(value, ast.Constant) for value in mutation.values):
            yield mutation


def stores_elsewhere(view: FileView) -> Iterator[tuple[Mutation, ThreadLocal]]:
    """The stores on what another file makes, each with what must hold there for it to be a `threading.local`."""
    for mutation in view.mutations:
        if mutation.kind != "attribute" or all(isinstance(value, ast.Constant) for value in mutation.values):
            continue
        for access in mutation.accesses:
            if access.kind == "global" and not access.steps and not access.name.startswith(f"{view.top.symbol}."):
                yield mutation, ThreadLocal(access.name)


def clearing(view: FileView, store: Mutation) -> list[Block]:
    """The functions of the file that take out again what the store puts in."""
    return [
        other.block
        for other in _changes(view)
        if other is not store
        and (other.name in (store.name, "clear") or _is_key(other, store.name))
        and (other.removes or is_in_finally(view, other.node) or _is_nothing(other))
    ]


def _is_key(mutation: Mutation, name: str) -> bool:
    """Whether the change is of what has the name as its key: `local.__dict__.pop("user", None)`."""
    return any(isinstance(key, ast.Constant) and key.value == name for key in mutation.keys)


def _is_nothing(mutation: Mutation) -> bool:
    return bool(mutation.values) and all(isinstance(value, ast.Constant) for value in mutation.values)


def _changes(view: FileView) -> Iterator[Mutation]:
    classes = _classes(view)
    names = set(thread_locals(view))
    attributes = _attributes(view, (_LOCAL, *classes))
    if not (classes or names or attributes):
        return
    for mutation in view.mutations:
        if mutation.kind in ("attribute", "item", "delete", "method") and _is_local(
            mutation, names, set(classes.values()), attributes
        ):
            yield mutation


def _attributes(view: FileView, makers: tuple[str, ...]) -> set[tuple[Block | None, str]]:
    """The attributes of objects that hold a thread-local, with their classes."""
    return {
        (mutation.block.class_, mutation.name)
        for mutation in view.mutations
        if mutation.kind == "attribute"
        and any(isinstance(value, ast.Call) and view.dotted(value.func) in makers for value in mutation.values)
    }


def _is_local(
    mutation: Mutation, names: set[str], classes: set[Block], attributes: set[tuple[Block | None, str]]
) -> bool:
    for access in mutation.accesses:
        owner = access.own_class
        steps = tuple(step for step in access.steps if step != "__dict__")
        if access.kind == "global" and not steps and access.name.removesuffix(".__dict__") in names:
            return True
        if access.kind == "class" and access.block is not None and len(steps) == 1:
            return f"{access.block.symbol}.{steps[0]}" in names
        if owner is not None and not mutation.block.is_initializer:
            if owner in classes and not steps:
                return True
            if len(steps) == 1 and ((owner, steps[0]) in attributes or f"{owner.symbol}.{steps[0]}" in names):
                return True
    return False
