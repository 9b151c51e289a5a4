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

_MAKES: Final = re.compile(r"^(?:a?create|make|build|new|produce|construct)(?:_|$)|^get_instance$")


@dataclass(frozen=True, slots=True)
class Factory:
    """A function that makes objects of a class, or a class that has such a method."""

    symbol: str
    """Of the function, or of the factory's class."""
    product: str
    location: Location


def factories(program: Program) -> Iterator[Factory]:
    """The factories of classes that do work, each once for each class that it makes.

    A class's own methods that make it, and the methods of its subclasses, are other ways to call it.
    """
    workers = {role.symbol: role for role in roles(program) if _works(role)}
    for path, facts in sorted(program.files.items()):
        if is_test_path(path):
            continue
        seen: set[tuple[str, str]] = set()
        for function in facts.functions:
            owner, _, name = function.name.rpartition(".")
            is_method = owner in program.resolution.classes
            if not _MAKES.match(name) or (owner != facts.module and not is_method):
                continue
            if is_method and not owner.rpartition(".")[2].endswith("Factory"):
                continue
            for product in _products(program, function.returns):
                symbol = owner if is_method else function.name
                if product not in workers or product in program.resolution.lineage(owner) or (symbol, product) in seen:
                    continue
                seen.add((symbol, product))
                yield Factory(symbol, product, Location(path=path, line=function.line, note="makes one"))


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


def _works(role: Role) -> bool:
    return len(role.methods) > 1 and not role.is_value


def _products(program: Program, returns: tuple[str, ...]) -> set[str]:
    return {value.name for path in returns for value in program.resolution.values(path)
            if value.kind == "instance" and value.shared is None}  # fmt: skip
