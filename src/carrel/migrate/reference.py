"""A reference to what a recipe moves, and everything that a scan finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from carrel.findings import Unparsable

__all__ = ["READER", "Certainty", "Kind", "Reference", "Scan"]

READER: Final = "6"
"""Another number has every file read anew."""

Kind = Literal[
    "import", "call", "base", "annotation", "string_annotation", "attribute", "name", "patch_target", "dunder_all",
    "fallback_store", "doc", "comment", "data", "pickle",
]  # fmt: skip
"""What stands there.

`import`: one name of an import statement. `call`, `base`, `annotation`, `name`: a use by its role; the whole dotted
chain where a module leads to it. `string_annotation`: a name inside a quoted annotation. `attribute`: a renamed
attribute or method of a moved symbol, the name after the dot only. `patch_target`: a dotted name in a string.
`dunder_all`: its string in `__all__`. `fallback_store`: `X = None`, or a stand-in class, beside an import of `X` in a
`try`. `doc`, `comment`: its name in a docstring or comment. `data`: a dotted name in a data file. `pickle`: what loads
it in a pickle, whose bytes count as one line.
"""
Certainty = Literal["certain", "mixed", "string", "mention"]
"""`certain` ones are edited. `mixed`: the name is bound to something else too. `string`: only a string says so.
`mention`: text that no code reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One place that stands for something a recipe moves. Lines from 1, columns in UTF-8 bytes from 0, as in `ast`."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: Kind
    certainty: Certainty
    symbol: str
    """The `old` of the moved symbol or module."""
    resolved_to: str
    """The dotted name of what is referred to: of the definition, or below it (`…Class.method` for an attribute)."""
    via: tuple[str, ...] = ()
    """The modules that re-export it on the way, from the one named here."""
    phase: str = ""
    text: str = ""
    """The text of the range; the dotted name in a pickle."""
    start: int
    """The range in `SourceText.utf8`."""
    end: int
    written: str = ""
    """The dotted name that stands in the text, made absolute: `package.facade.Name`, or `package.facade.*`."""
    bound: str = ""
    """The local name that it is used by: `E` for `import … as E` and for each use of that `E`."""
    in_async: bool = False
    """Whether it is evaluated directly in an `async def`."""
    reason: str = ""
    """Why a person must look at it, when it is not certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What `find_references` found, ordered by path and place."""

    references: tuple[Reference, ...]
    unparsable: tuple[Unparsable, ...] = ()
    files: int = 0
    """Text files that were looked at, Python or not."""
    python_files: int = 0
    parsed: int = 0
    mentions: int = 0
    mention_files: int = 0
    seconds: float = 0.0
    missing: tuple[str, ...] = ()
    """The `old` names of the recipe that are defined nowhere in the tree."""

    def in_phase(self, phase: str) -> tuple[Reference, ...]:
        return tuple(one for one in self.references if one.phase == phase)
