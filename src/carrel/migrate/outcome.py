"""What became of one file that a phase was to edit: a sum type, never an exception."""

from __future__ import annotations

from dataclasses import dataclass

from carrel.migrate.references import Reference

__all__ = ["Edited", "FileOutcome", "LeftReference", "Refused", "Unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftReference:
    """A reference that was not edited on purpose, and why a person must look at it."""

    reference: Reference
    reason: str
    moved: bool = False
    """Its name is that of the new symbol now; only what stands around it needs a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """New bytes for a file. Whoever made them has checked them; nothing is written yet."""

    path: str
    before: bytes
    after: bytes
    edits: int
    """Byte ranges that were replaced."""
    left: tuple[LeftReference, ...] = ()
    makers: tuple[str, ...] = ()
    """The recipe's functions for old arguments that the new bytes call, by dotted name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """A file with nothing in it to edit."""

    path: str
    left: tuple[LeftReference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that stays byte for byte as it was, although something in it should have been edited."""

    path: str
    reason: str
    references: tuple[Reference, ...] = ()


FileOutcome = Edited | Unchanged | Refused
