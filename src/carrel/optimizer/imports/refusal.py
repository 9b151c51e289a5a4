"""Why a file, or one row of it, cannot be imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from carrel.storage.usage import ImportFailure

__all__ = ["MOST_COLUMNS", "FileRefusedError", "RowRefusedError", "listed"]

MOST_COLUMNS: Final = 100
"""So many of the file's columns are kept with a refusal, for its user to say what they mean."""
LONGEST_COLUMN: Final = 200
"""Characters of a column's name; a longer one is left out, for half a name could not be mapped."""
_LISTED: Final = 5
_LISTED_CHARACTERS: Final = 40


class FileRefusedError(ValueError):
    """Raised when the file as a whole cannot be read; becomes the `failure` of its import.

    Of the `columns`, which are as many and as long as the file says, the failure keeps the first few.
    """

    def __init__(
        self, code: str, message: str, *, columns: tuple[str, ...] = (), missing: tuple[str, ...] = ()
    ) -> None:
        kept = tuple(column for column in columns if len(column) <= LONGEST_COLUMN)[:MOST_COLUMNS]
        self.failure = ImportFailure(code, message, kept, missing)
        super().__init__(message)


class RowRefusedError(ValueError):
    """Raised when one row is no usage record; `field` names what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


def listed(names: Sequence[str]) -> str:
    """The first few names, cut to a line, and how many more there are."""
    texts = [name if len(name) <= _LISTED_CHARACTERS else f"{name[:_LISTED_CHARACTERS]}…" for name in names[:_LISTED]]
    if len(names) > _LISTED:
        texts.append(f"and {len(names) - _LISTED} more")
    return ", ".join(texts)
