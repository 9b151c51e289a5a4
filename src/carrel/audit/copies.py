"""Whether classes of one name are one thing written several times, or several things that go by one name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from carrel.audit.program import Program
from carrel.audit.roles import Role

__all__ = ["ENOUGH", "are_copies", "are_variants", "share_lines", "spread", "stand_side_by_side"]

_SAME: Final = 0.65
"""The share of equal lines from which on one class was written by copying the other."""
_EQUAL: Final = 0.9
"""The share from which on even what each of several has for itself is a copy."""
_SOME: Final = 0.25
"""The share from which on they do the same work."""
ENOUGH: Final = 12
"""Equal lines that are no coincidence."""
_SEVERAL: Final = 3
"""Statements of a method that does something of its own."""
_MANY: Final = 3
"""Classes or files that are no coincidence."""
_NUMBERED: Final = re.compile(r"_v\d+\.py$")
_SYSTEM: Final = re.compile(r"(?:linux|windows|win32|posix|unix|darwin|macos|osx|bsd)(?:\.py)?$")
_PRIVATE: Final = re.compile(r"(?:^|/)_(?!_)[^/]*\.py$")
_NUMBER: Final = re.compile(r"\d+")
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_PLAIN: Final = frozenset({"object", "ABC", "Generic"})
_HOOKS: Final = frozenset({
    "get", "post", "put", "patch", "delete", "head", "options", "dispatch", "trace",
    "run", "main", "handle", "execute", "add_arguments", "invoke",
    "setUp", "tearDown", "setUpClass", "tearDownClass", "setup", "teardown",
    "save", "clean", "validate", "render", "get_queryset", "get_context_data", "form_valid", "ready",
    "to_dict", "from_dict", "to_json", "from_json", "to_orm", "from_orm", "serialize", "deserialize",
})  # fmt: skip
"""Methods that a framework asks for by name, and those that only turn a value into another one."""


def are_copies(program: Program, one: Role, other: Role, enough: int = ENOUGH) -> bool:
    """Whether both do work, and most lines of them are the same, `enough` of them at least.

    The file of a neural network holds all of its layers, so layers are written in as many files as use them.
    """
    if "Module" in one.bases or not _are_of_one_kind(one, other):
        return False
    if are_variants(one.location.path, other.location.path):
        return False
    share = _SAME
    if stand_side_by_side(one, other):
        if not program.parts.are_one(one.location.path, other.location.path):
            return False
        share = _EQUAL
    if not (_works(program, one) and _works(program, other)):
        return False
    most = max(enough, (len(one.lines) + len(other.lines)) / 2 * share)
    if min(len(one.lines), len(other.lines)) < most:
        return False
    if _common_lines(one, other) < most:
        return False
    return not (_is_version(program, one) or _is_version(program, other))


def share_lines(one: Role, other: Role) -> bool:
    """Whether what one does is to be found in the other, so that it is not only the names that are alike."""
    return _common_lines(one, other) >= (len(one.lines) + len(other.lines)) / 2 * _SOME


def spread(program: Program, group: Iterable[Role]) -> tuple[Role, ...]:
    """Those of several plain classes of one name that share a method, where there are three or more of them.

    One word, `Client` or `Metrics`, names something else in each place; so does what a directory has in many files.
    """
    group = list(group)
    by_method: dict[str, list[Role]] = {}
    in_directory = Counter(_directory(role) for role in group)
    for role in group:
        if in_directory[_directory(role)] >= _MANY:
            continue
        is_plain = not set(role.bases) - _PLAIN and not role.decorators and not role.is_value
        if is_plain and len(_WORDS.findall(role.name)) > 1 and not _PRIVATE.search(role.location.path):
            for method in role.methods - _HOOKS:
                others = by_method.setdefault(method, [])
                if not any(stand_side_by_side(role, one) for one in others):
                    others.append(role)
    found = [
        roles
        for method, roles in by_method.items()
        if any(_statements(program, role, method) >= _SEVERAL for role in roles)
    ]
    most = max(found, key=len, default=[])
    return tuple(most) if len(most) >= _MANY else ()


def stand_side_by_side(one: Role, other: Role) -> bool:
    """Whether each belongs to one of several.

    Files of one name in two directories, or on the two sides of a wire: `events/filters.py` and
    `server/events/filters.py`; `v1.py` and `v2.py`, `from_20.py` and `from_24.py`, `_linux.py` and `_windows.py`.
    """
    if are_variants(one.location.path, other.location.path):
        return True
    ours, theirs = (role.location.path.split("/") for role in (one, other))
    if len(ours) != len(theirs) or ours[-1] != theirs[-1]:
        return False
    near = (len(ours) + 1) // 2
    return ours[:near] == theirs[:near] or sum(a != b for a, b in zip(ours, theirs, strict=True)) == 1


def are_variants(path: str, other: str) -> bool:
    """Whether two files are one for two circumstances, such as the versions of what both of them speak."""
    ours, theirs = path.split("/"), other.split("/")
    if ours == theirs:
        return False
    if any(plain(ours) == plain(theirs) for plain in (_without_side, _without_numbers)):
        return True
    differing = [parts for parts in zip(ours, theirs, strict=False) if parts[0] != parts[1]]
    return len(ours) == len(theirs) and len(differing) == 1 and all(_SYSTEM.search(part) for part in differing[0])


def _common_lines(one: Role, other: Role) -> int:
    return (Counter(one.lines) & Counter(other.lines)).total()


def _directory(role: Role) -> str:
    return role.location.path.rpartition("/")[0]


def _without_side(parts: list[str]) -> list[str]:
    return [part for part in parts if part not in ("client", "server")]


def _without_numbers(parts: list[str]) -> list[str]:
    return [_NUMBER.sub("0", part) for part in parts]


def _are_of_one_kind(one: Role, other: Role) -> bool:
    """Whether nothing, or the same framework, makes something of both."""
    ours, theirs = (set(role.bases) - _PLAIN for role in (one, other))
    return one.decorators == other.decorators and (not ours.isdisjoint(theirs) or (not ours and not theirs))


def _is_version(program: Program, role: Role) -> bool:
    """Whether its file is of a row, such as `models.py`, `models_v2.py`, `models_v3.py`: each is to stay as it is."""
    plain = _NUMBERED.sub(".py", role.location.path)
    return sum(_NUMBERED.sub(".py", path) == plain for path in program.files) >= _MANY


def _works(program: Program, role: Role) -> bool:
    return any(_statements(program, role, method) >= _SEVERAL for method in role.methods)


def _statements(program: Program, role: Role, method: str) -> int:
    fact = program.resolution.functions.get(f"{role.symbol}.{method}")
    return fact.statements if fact is not None else 0
