"""Which functions make objects of which class, and who calls the class itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.audit.program import Program
from carrel.audit.roles import Role, is_test_path, roles
from carrel.findings import Location

__all__ = ["Factory", "direct_calls", "factories"]

_DATA: Final = ("Model", "DeclarativeBase", "Document", "BaseModel", "SQLModel", "Struct")
"""Bases of rows and messages, however far above: whoever has what is in one makes one."""
_MAKES: Final = re.compile(r"^(?:a?create|make|build|new|produce|construct)(?:_|$)|^get_instance$")


@dataclass(frozen=True, slots=True)
class Factory:
    """A function that makes objects of a class, or a class that has such a method."""

    symbol: str
    """Of the function, or of the factory's class."""
    product: str
    location: Location
    adds: bool
    """It does more than to call the class: what is made without it lacks something."""


def factories(program: Program) -> Iterator[Factory]:
    """The factories of classes that do work, each once for each class that it makes.

    A class's own methods that make it, and the methods of its subclasses, are other ways to call it; what asks another
    factory for the object, or makes whatever class it is handed, is no factory of its own.
    """
    workers = {role.symbol for role in roles(program) if _works(program, role)}
    for path, facts in sorted(program.files.items()):
        if is_test_path(path):
            continue
        made: dict[str, set[str]] = {}
        for function in facts.functions:
            calls = {program.resolution.canonical(call.path) for call in function.calls}
            made.setdefault(function.name.rpartition(".")[0], set()).update(calls)
            made[function.name] = calls
        seen: set[tuple[str, str]] = set()
        for function in facts.functions:
            owner, _, name = function.name.rpartition(".")
            is_method = owner in program.resolution.classes
            if not _MAKES.match(name) or (owner != facts.module and not is_method):
                continue
            if is_method and not owner.rpartition(".")[2].endswith("Factory"):
                continue
            symbol = owner if is_method else function.name
            for product in _products(program, function.returns) & made[symbol]:
                if product not in workers or product in program.resolution.lineage(owner) or (symbol, product) in seen:
                    continue
                seen.add((symbol, product))
                where = Location(path=path, line=function.line, note="makes one")
                yield Factory(symbol, product, where, adds=function.statements > 1)


def direct_calls(program: Program, products: frozenset[str]) -> Iterator[tuple[str, str, Location]]:
    """The class, the calling function and the place of each call of one of the classes itself, tests excluded."""
    for path, facts in sorted(program.files.items()):
        if is_test_path(path):
            continue
        for function in facts.functions:
            for call in function.calls:
                made = program.resolution.canonical(call.path)
                if made in products:
                    yield made, function.name, Location(path=path, line=call.line)


def _works(program: Program, role: Role) -> bool:
    return len(role.methods) > 1 and not role.is_value and not program.has_base(role.symbol, _DATA)


def _products(program: Program, returns: tuple[str, ...]) -> set[str]:
    return {value.name for path in returns for value in program.resolution.values(path)
            if value.kind == "instance" and value.shared is None}  # fmt: skip
