"""The classes of a code base as roles: what each offers, and which of them are one role twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.audit.facts import FileFacts
from carrel.audit.places import is_test_path
from carrel.audit.program import Program
from carrel.findings import Location

__all__ = ["Role", "likeness", "plain_name", "product_files", "related_roles", "roles"]

_MARKED: Final = re.compile(
    r"^(?:Legacy|Deprecated|Enhanced|Unified|Consolidated|Modern|Improved|Refactored|Optimi[sz]ed|Fixed)(?=[A-Z])"
    r"|(?:Legacy|Deprecated|Enhanced|Unified|Consolidated|Modern|Improved|Refactored|Old|Fixed|V\d)$"
)
_PROTOCOLS: Final = frozenset({"typing.Protocol", "typing_extensions.Protocol", "abc.ABC", "zope.interface.Interface",
                               "Protocol", "ABC", "Interface"})  # fmt: skip
"""Bases that make a promise of a class; without a module where the file does not say whence it has the name."""
_MARKS: Final = frozenset({"typing.final", "typing.runtime_checkable", "functools.total_ordering", ""})
"""Decorators that leave a class what it is."""
_VALUES: Final = frozenset({"BaseModel", "NamedTuple", "TypedDict", "Enum", "StrEnum", "IntEnum", "Struct", "SQLModel",
                            "Exception", "BaseSettings", "RootModel"})  # fmt: skip
_VALUE_ENDINGS: Final = ("Error", "Exception", "Enum", "Schema", "Serializer")


@dataclass(frozen=True, slots=True)
class Role:
    """One class at the top of a module, tests excluded."""

    symbol: str
    name: str
    location: Location
    methods: frozenset[str]
    """Those that others may call."""
    members: frozenset[str]
    """Everything public that the body binds."""
    bases: tuple[str, ...]
    """The last parts of the names of its bases."""
    decorators: frozenset[str] = frozenset()
    """Those that make something else of it: `dataclasses.dataclass`, `strawberry.type`."""
    lines: tuple[int, ...] = ()
    """A number for each line of its body, `carrel.audit.body_lines`."""
    is_protocol: bool = False

    @property
    def is_value(self) -> bool:
        """Whether it is data rather than something that does work."""
        return any(base in _VALUES or base.endswith(_VALUE_ENDINGS) for base in self.bases) or (
            self.name.endswith(("Error", "Exception", "Warning"))
        )


def product_files(program: Program) -> Iterator[tuple[str, FileFacts]]:
    """The files that somebody wrote for those who use the program."""
    for path, facts in sorted(program.files.items()):
        if not (is_test_path(path) or facts.is_generated or _is_out_of_reach(program, path)):
            yield path, facts


def roles(program: Program) -> Iterator[Role]:
    """Every public class at the top of a module that somebody wrote."""
    for path, facts in product_files(program):
        for name, exports in facts.outline.exports.items():
            for export in exports[:1]:
                if export.kind != "class" or name.startswith(("_", "Mock", "Fake", "Test", "Stub")):
                    continue
                symbol = f"{facts.module}.{name}"
                public = frozenset(member for member in export.members if not member.startswith("_"))
                methods = frozenset(one for one in public if f"{symbol}.{one}" in program.resolution.functions)
                bases = tuple(base.rpartition(".")[2] for base in export.bases if base)
                fact = program.resolution.classes.get(symbol)
                decorators = frozenset(fact.decorators if fact is not None else ()) - _MARKS
                yield Role(
                    symbol, name, Location(path=path, line=export.line), methods, public, bases, decorators,
                    fact.lines if fact is not None else (),
                    is_protocol=fact is not None and not _PROTOCOLS.isdisjoint(fact.bases),
                )  # fmt: skip


def _is_out_of_reach(program: Program, path: str) -> bool:
    """Whether no import leads to a file below a package: `ansible/11/paths.py` is only shipped."""
    package, *below = path.split("/")[:-1] or [""]
    for part in below:
        if not part.isidentifier() and f"{package}/__init__.py" in program.files:
            return True
        package = f"{package}/{part}"
    return False


def plain_name(name: str) -> str:
    """A class's name without what only says that there is an older or a newer one: `ToolDispatcher`."""
    return _MARKED.sub("", name)


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """How much of two sets of names is common to both: 0 to 1 (Jaccard 1901)."""
    return len(one & other) / len(one | other) if one or other else 0.0


def related_roles(program: Program, one: Role, other: Role) -> bool:
    """Whether the two share a class of the project, or one is below the other: then the role is written down."""
    lineages = [set(program.resolution.lineage(role.symbol)) for role in (one, other)]
    if lineages[0] & lineages[1]:
        return True
    # A file that cannot be read, such as one in the syntax of a newer Python, has its classes all the same.
    bases = [set(program.resolution.classes[role.symbol].bases) for role in (one, other)]
    return any(program.project.path(base.rpartition(".")[0]) is not None for base in bases[0] & bases[1])
