"""Whether two classes of one name are one thing written twice, or two things that go by one name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from carrel.audit.facts import FunctionFact
from carrel.audit.program import Program
from carrel.audit.roles import Role, likeness
from carrel.source.import_graph import imported_paths

__all__ = ["Copies", "stand_side_by_side"]

_ALIKE: Final = 0.5
_SEVERAL: Final = 3
"""Statements of a method that does something of its own."""
_MANY: Final = 3
"""Methods, classes or files that are no coincidence."""
_WIDESPREAD: Final = 3
"""Classes of other names that define the same method below the same base: then the base calls it."""
_VERSION: Final = re.compile(r"^v\d+(?:\.py)?$")
_SYSTEM: Final = re.compile(r"(?:linux|windows|win32|posix|unix|darwin|macos|osx|bsd)(?:\.py)?$")
_PRIVATE: Final = re.compile(r"(?:^|/)_(?!_)[^/]*\.py$")
_PLAIN: Final = frozenset({"object", "ABC", "Generic"})
_HOOKS: Final = frozenset({
    "get", "post", "put", "patch", "delete", "head", "options", "dispatch", "trace",
    "run", "main", "handle", "execute", "add_arguments", "invoke",
    "setUp", "tearDown", "setUpClass", "tearDownClass", "setup", "teardown",
    "save", "clean", "validate", "render", "get_queryset", "get_context_data", "form_valid", "ready",
    "to_dict", "from_dict", "to_json", "from_json", "to_orm", "from_orm", "serialize", "deserialize",
})  # fmt: skip
"""Methods that a framework asks for by name, and those that only turn a value into another one."""


class Copies:
    """What tells copies from namesakes in one code base; `everyone` are its roles."""

    def __init__(self, program: Program, everyone: Iterable[Role]) -> None:
        self._program = program
        below: dict[tuple[str, str], set[str]] = {}
        for role in everyone:
            for base in role.bases:
                for method in role.methods:
                    below.setdefault((base, method), set()).add(role.name)
        self._promised = {both for both, names in below.items() if len(names) > _WIDESPREAD}

    def are_copies(self, one: Role, other: Role) -> bool:
        """Whether both do the same work in some method that is their own, and neither is a view of the other."""
        if likeness(one.members, other.members) < _ALIKE or not _are_of_one_kind(one, other):
            return False
        if stand_side_by_side(one, other) or self._is_one_of_several(one, other):
            return False
        if self._knows(one, other) or self._knows(other, one):
            return False
        shared = [method for method in one.methods & other.methods if self._is_own(one, other, method)]
        return len(shared) >= _MANY or any(self._is_done_twice(one, other, method) for method in shared)

    def spread(self, group: Iterable[Role]) -> tuple[Role, ...]:
        """Those of several plain classes of one name that share a method, where there are three or more of them."""
        by_method: dict[str, list[Role]] = {}
        for role in group:
            is_plain = not set(role.bases) - _PLAIN and not role.decorators and not role.is_value
            if is_plain and not _PRIVATE.search(role.location.path):
                for method in role.methods - _HOOKS:
                    others = by_method.setdefault(method, [])
                    if not any(stand_side_by_side(role, one) or self._is_one_of_several(role, one) for one in others):
                        others.append(role)
        found = [
            roles
            for method, roles in by_method.items()
            if any((fact := self._fact(role, method)) and fact.statements >= _SEVERAL for role in roles)
        ]
        most = max(found, key=len, default=[])
        return tuple(most) if len(most) >= _MANY else ()

    def _is_own(self, one: Role, other: Role, method: str) -> bool:
        """Whether the method is no framework's, and does something in both."""
        if method in _HOOKS or any((base, method) in self._promised for base in (*one.bases, *other.bases)):
            return False
        first, second = self._fact(one, method), self._fact(other, method)
        return all(fact is not None and fact.statements >= _SEVERAL and fact.uses for fact in (first, second))

    def _is_done_twice(self, one: Role, other: Role, method: str) -> bool:
        first, second = self._fact(one, method), self._fact(other, method)
        if first is None or second is None:
            return False
        return likeness(frozenset(first.uses), frozenset(second.uses)) >= _ALIKE

    def _is_one_of_several(self, one: Role, other: Role) -> bool:
        """Whether both files are of a row, such as `mongo_impl.py`, `postgres_impl.py` and `redis_impl.py`."""
        (ours, file), (theirs, beside) = (role.location.path.rpartition("/")[::2] for role in (one, other))
        ending = file[file.rfind("_") :]
        if ours != theirs or not ending.startswith("_") or not beside.endswith(ending):
            return False
        if set(_words(file, ending)) & set(_words(beside, ending)):
            return False
        row = [path for path in self._program.files if path.rpartition("/")[0] == ours and path.endswith(ending)]
        return len(row) >= _MANY

    def _fact(self, role: Role, method: str) -> FunctionFact | None:
        return self._program.resolution.functions.get(f"{role.symbol}.{method}")

    def _knows(self, one: Role, other: Role) -> bool:
        """Whether the module of one class imports the other: it is made from it, or stands for it elsewhere."""
        path = one.location.path
        return any(
            other.location.path in imported_paths(self._program.project, path, site)
            for site in self._program.files[path].outline.imports
            if site.name in ("", "*", other.name)
        )


def stand_side_by_side(one: Role, other: Role) -> bool:
    """Whether each belongs to one of several.

    Files of one name in two directories, `v1.py` and `v2.py`, `_linux.py` and `_windows.py`.
    """
    ours, theirs = (role.location.path.split("/") for role in (one, other))
    differing = [parts for parts in zip(ours, theirs, strict=False) if parts[0] != parts[1]]
    if len(ours) != len(theirs) or not differing:
        return False
    if ours[-1] == theirs[-1]:
        near = (len(ours) + 1) // 2
        return len(differing) == 1 or ours[:near] == theirs[:near]
    return len(differing) == 1 and any(all(sort.search(part) for part in differing[0]) for sort in (_VERSION, _SYSTEM))


def _words(file: str, ending: str) -> list[str]:
    return file.removesuffix(ending).split("_")


def _are_of_one_kind(one: Role, other: Role) -> bool:
    """Whether nothing, or the same framework, makes something of both."""
    ours, theirs = (set(role.bases) - _PLAIN for role in (one, other))
    return one.decorators == other.decorators and (not ours.isdisjoint(theirs) or (not ours and not theirs))
