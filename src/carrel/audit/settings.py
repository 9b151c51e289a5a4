"""What to check and how: `[tool.carrel.audit]` of `pyproject.toml`, with what the command line says on top."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec

from carrel.errors import SettingsError
from carrel.findings import Severity

__all__ = ["TESTS", "AuditSettings", "read_settings"]

_TABLE: Final = "tool.carrel.audit"
TESTS: Final = ("tests", "test", "testing", "test_*.py", "*_test.py", "conftest.py")
"""Patterns of files that serve nobody."""


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The settings of `carrel audit`; the names in `pyproject.toml` have `-` for `_`."""

    select: tuple[str, ...] = ()
    """Names or codes of the rules to check, or beginnings of codes such as `CAR0`; all when empty."""
    ignore: tuple[str, ...] = ()
    """Names, codes or beginnings of codes of rules to leave out."""
    exclude: tuple[str, ...] = ()
    """Patterns of paths to leave out: `migrations`, `vendor/*`."""
    tests: bool = False
    """Look at tests too."""
    roots: tuple[str, ...] = ()
    """Directories that modules are imported from, when they are not found by their packages: `services/api/src`."""
    strict: bool = False
    """Say leaks in an application as loud as in a small program, the doubtful ones too."""
    fail_on: Severity = "error"
    """The lowest severity that makes the command fail."""
    baseline: str = ""
    """File of the findings that are known already, relative to the directory of `pyproject.toml`."""

    @property
    def excluded(self) -> tuple[str, ...]:
        """All patterns of paths that are left out."""
        return self.exclude if self.tests else (*self.exclude, *TESTS)


def read_settings(root: Path) -> tuple[AuditSettings, Path]:
    """The settings for a directory, from the nearest `pyproject.toml` at or above it, and the directory of that file.

    Without one: the defaults, and `root`. Raises `SettingsError`, which names the key, for what is unknown or of the
    wrong type.
    """
    for directory in (root, *root.parents):
        file = directory / "pyproject.toml"
        if file.is_file():
            return _read(file), directory
    return AuditSettings(), root


def _read(file: Path) -> AuditSettings:
    try:
        document: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(str(file), f"cannot be read: {error}") from None
    for key in _TABLE.split("."):
        document = document.get(key, {})
        if not isinstance(document, dict):
            raise SettingsError(_TABLE, f"must be a table in {file}")
    try:
        return msgspec.convert(document, AuditSettings)
    except msgspec.ValidationError as error:
        raise SettingsError(_key(str(error), document), f"{_problem(str(error))}; see `carrel audit --help`") from None


def _key(message: str, document: dict[str, Any]) -> str:
    """The dotted name of the key that a message of msgspec is about."""
    if "unknown field" in message:
        return f"{_TABLE}.{message.split('`')[1]}"
    _, _, place = message.partition("$.")
    named = place.rstrip("`").partition("[")[0]
    return f"{_TABLE}.{named}" if named in document else _TABLE


def _problem(message: str) -> str:
    if "unknown field" in message:
        known = ", ".join(sorted(AuditSettings.__struct_encode_fields__))
        return f"there is no such setting; there are: {known}"
    return message.partition(" - at ")[0]
