"""Why a file, or one row of it, cannot be imported."""

from __future__ import annotations

from carrel.storage.usage import ImportFailure

__all__ = ["FileRefusedError", "RowRefusedError"]


class FileRefusedError(ValueError):
    """Raised when the file as a whole cannot be read; becomes the `failure` of its import."""

    def __init__(
        self, code: str, message: str, *, columns: tuple[str, ...] = (), missing: tuple[str, ...] = ()
    ) -> None:
        self.failure = ImportFailure(code, message, columns, missing)
        super().__init__(message)


class RowRefusedError(ValueError):
    """Raised when one row is no usage record; `field` names what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")
