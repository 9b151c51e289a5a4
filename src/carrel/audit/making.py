"""Which functions make objects of which class, and who calls the class itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.audit.places import is_test_path
from carrel.audit.program import Program
from carrel.audit.roles import Role, likeness, roles
from carrel.audit.taint import is_identity_like
from carrel.findings import Location

__all__ = ["DirectCall", "Factory", "direct_calls", "factories", "is_maker", "make_the_same"]

_DATA: Final = ("Model", "DeclarativeBase", "Document", "BaseModel", "SQLModel", "Struct")
"""Bases of rows and messages, however far above: whoever has what is in one makes one."""
_FIELDS: Final = ("dataclass", "define", "attrs")
"""Decorators of classes that are their fields."""
_MAKES: Final = re.compile(r"^(?:a?create|make|build|new|produce|construct)(?:_|$)|^get_instance$")
_SAME: Final = 0.6
"""The share of common calls from which on two functions do the same work."""


@dataclass(frozen=True, slots=True)
class Factory:
    """A function that makes objects of a class, or a class that has such a method."""

    symbol: str
    """Of the function, or of the factory's class."""
    product: str
    location: Location
    adds: bool
    """It does more than to call the class: what is made without it lacks something."""
    for_user: bool = False
    """It is told for whom: `create_engine(user)`."""
    told: frozenset[str] = frozenset()
    """What else it is told: its other parameters."""
    calls: frozenset[str] = frozenset()
    """The last parts of the names of what it calls."""
    fills: bool = False
    """It makes something of its own module to put in: what comes out is a `Resource` of users, or of rooms."""


@dataclass(frozen=True, slots=True)
class DirectCall:
    """A call of a class itself."""

    product: str
    caller: str
    location: Location
    is_bare: bool
    """It hands the class nothing of a user, and no list of arguments that nobody knows."""
    given: int
    """How many arguments it hands over."""


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
            if not is_maker(name) or name.startswith("_") or (owner != facts.module and not is_method):
                continue
            if is_method and not owner.rpartition(".")[2].endswith("Factory"):
                continue
            symbol = owner if is_method else function.name
            for product in _products(program, function.returns) & made[symbol]:
                if product not in workers or product in program.resolution.lineage(owner) or (symbol, product) in seen:
                    continue
                seen.add((symbol, product))
                where = Location(path=path, line=function.line, note="makes one")
                told = frozenset(one for one in function.parameters if not is_identity_like(one))
                yield Factory(
                    symbol, product, where, adds=function.statements > 1, told=told,
                    for_user=len(told) < len(function.parameters),
                    calls=frozenset(call.path.rpartition(".")[2] for call in function.calls),
                    fills=any(f"{facts.module}.{one.rpartition('.')[2]}" == one in program.resolution.classes
                              for one in made[symbol] - {product}),
                )  # fmt: skip


def direct_calls(program: Program, products: frozenset[str]) -> Iterator[DirectCall]:
    """Each call of one of the classes itself, tests excluded."""
    for path, facts in sorted(program.files.items()):
        if is_test_path(path):
            continue
        for function in facts.functions:
            for call in function.calls:
                made = program.resolution.canonical(call.path)
                if made in products:
                    where = Location(path=path, line=call.line)
                    tells = any(not parameter or is_identity_like(parameter) for _, parameter in call.tells)
                    is_bare = not tells and "*" not in call.given
                    yield DirectCall(made, function.name, where, is_bare, len(call.given))


def make_the_same(one: Factory, other: Factory) -> bool:
    """Whether either could be called for the other: it is told no less, and does most of what the other does."""
    told = one.told <= other.told or other.told <= one.told
    return told and not one.fills and not other.fills and likeness(one.calls, other.calls) >= _SAME


def is_maker(function: str) -> bool:
    """Whether a function's dotted name says that it makes something: `create_engine`, `Builder._make_one`."""
    return _MAKES.match(function.rpartition(".")[2].lstrip("_")) is not None


def _works(program: Program, role: Role) -> bool:
    is_data = role.is_value or any(one.rpartition(".")[2] in _FIELDS for one in role.decorators)
    return len(role.methods) > 1 and not is_data and not program.has_base(role.symbol, _DATA)


def _products(program: Program, returns: tuple[str, ...]) -> set[str]:
    return {value.name for path in returns for value in program.resolution.values(path)
            if value.kind == "instance" and value.shared is None}  # fmt: skip
