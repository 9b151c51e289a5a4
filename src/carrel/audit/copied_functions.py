"""Functions that several modules of one program have each for themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from carrel.audit.copies import are_variants
from carrel.audit.program import Program
from carrel.audit.roles import product_files
from carrel.findings import Location

__all__ = ["Copied", "Written", "copied_functions"]

_LOGIC: Final = 8
"""Statements of a function that nobody writes twice by chance."""
_LIKE: Final = ((12, 0.9), (24, 0.8))
"""Of two that are not equal throughout, so many equal lines and such a share of them: one was written by copying the
other, and still does the same. A long one has more places to drift."""
_NEAR: Final = 12
"""So many functions of one name are compared with each other; of more, only what is equal is found."""
_HOOKS: Final = frozenset({"main", "cli", "run", "handle", "execute", "setup", "configure", "register", "create_app",
                           "init_app", "start", "serve", "upgrade", "downgrade", "application"})  # fmt: skip
"""Names that whoever loads a file asks for: what stands in it begins the program, or its part of one. So do those that
the language asks a module for, `__getattr__`."""


@dataclass(frozen=True, slots=True)
class Written:
    """One function at the top of a module."""

    name: str
    symbol: str
    location: Location
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Copied:
    """What several modules have of each other."""

    members: tuple[Written, ...]
    """By their paths, one for each module."""
    is_one_program: bool
    """One of the modules could have taken it from another."""


def copied_functions(program: Program) -> Iterator[Copied]:
    """Functions of one name whose bodies are mostly the same lines; what is called by its name alone is left out."""
    by_name: dict[str, dict[tuple[int, ...], list[Written]]] = {}
    for path, facts in product_files(program):
        for name, lines in facts.bodies.items():
            symbol = f"{facts.module}.{name}"
            fact = program.resolution.functions.get(symbol)
            if fact is not None and fact.statements >= _LOGIC and name not in _HOOKS and not name.startswith("__"):
                one = Written(name, symbol, Location(path=path, line=fact.line), lines)
                by_name.setdefault(name, {}).setdefault(lines, []).append(one)
    for bodies in by_name.values():
        alike = list(bodies) if len(bodies) <= _NEAR else []
        joined = {body: body for body in bodies}
        for body, other in combinations(alike, 2):
            if joined[body] != joined[other] and _are_same(body, other):
                old, new = joined[other], joined[body]
                joined.update((each, new) for each, home in joined.items() if home == old)
        for home in dict.fromkeys(joined.values()):
            members = [one for body, written in bodies.items() if joined[body] == home for one in written]
            if len(members) > 1:
                yield from _of_programs(program, sorted(members, key=lambda one: one.location.path))


def _of_programs(program: Program, members: list[Written]) -> Iterator[Copied]:
    """Those of each program, or all of them where each is of a program of its own."""
    programs: list[list[Written]] = []
    for one in members:
        path = one.location.path
        for together in programs:
            other = together[0].location.path
            if program.parts.are_one(path, other) and not any(
                are_variants(path, each.location.path) for each in together
            ):
                together.append(one)
                break
        else:
            programs.append([one])
    several = [together for together in programs if len(together) > 1]
    for together in several or [members]:
        yield Copied(tuple(together), is_one_program=bool(several))


def _are_same(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    longer = max(len(one), len(other))
    if min(len(one), len(other)) < longer * _LIKE[-1][1]:
        return False
    equal = (Counter(one) & Counter(other)).total()
    return any(equal >= enough and equal >= longer * share for enough, share in _LIKE)
