"""The exact versions that a code base pins, read from lock files and requirements."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from carrel.errors import SourceError
from carrel.source import SourceFile, SourceTree

__all__ = ["PIN_SUFFIXES", "Pin", "find_pins", "is_pin_file", "read_pins"]

PIN_SUFFIXES: Final = (".txt", ".in", ".lock", ".toml")
_REQUIREMENTS: Final = re.compile(r"(?:^|/)(?:[^/]*(?:requirements|constraints)[^/]*|requirements/[^/]*)\.(?:txt|in)$")
_LOCKS: Final = frozenset({"uv.lock", "poetry.lock", "pdm.lock"})
_KEY: Final = re.compile(r'^(name|version)\s*=\s*"([^"]+)"')
_PIPFILE_NAME: Final = re.compile(r'^\s*"([A-Za-z0-9._-]+)":\s*\{')
_PIPFILE_VERSION: Final = re.compile(r'^\s*"version":\s*"==([^"]+)"')
_QUOTED: Final = re.compile(r"""["']([A-Za-z0-9._-]+(?:\[[^\]]*\])?\s*===?\s*[^"']+)["']""")
_POETRY: Final = re.compile(
    r"""^["']?([A-Za-z0-9._-]+)["']?\s*=\s*(?:\{.*\bversion\s*=\s*)?["'](?:==\s*)?(\d[A-Za-z0-9.+!-]*)["']"""
)
_LARGEST: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version."""

    package: str
    """Its normalised name (PEP 503)."""
    version: Version
    path: str
    line: int


def find_pins(tree: SourceTree, files: Iterable[SourceFile]) -> tuple[Pin, ...]:
    """The pins in all files of a tree that may hold some; a file that cannot be read has none."""
    found: list[Pin] = []
    for file in files:
        if is_pin_file(file.path) and file.size <= _LARGEST:
            try:
                text = tree.read(file.path).decode("utf-8", "replace")
            except SourceError:
                continue
            found += read_pins(file.path, text)
    return tuple(found)


def is_pin_file(path: str) -> bool:
    """Whether a file of this name holds pins: requirements, a lock file, `pyproject.toml`."""
    name = path.rpartition("/")[2]
    return name in _LOCKS or name in ("Pipfile.lock", "pyproject.toml") or _REQUIREMENTS.search(path) is not None


def read_pins(path: str, text: str) -> Iterator[Pin]:
    """The exact pins in one file, each with its line; ranges are none."""
    name = path.rpartition("/")[2]
    if name in _LOCKS:
        found = _locked(text)
    elif name == "Pipfile.lock":
        found = _pipfile(text)
    elif name == "pyproject.toml":
        found = _pyproject(text)
    else:
        found = _requirements(text)
    for package, version, line in found:
        try:
            yield Pin(canonicalize_name(package), Version(version), path, line)
        except InvalidVersion:
            continue


def _requirements(text: str) -> Iterator[tuple[str, str, int]]:
    for number, line in enumerate(text.splitlines(), 1):
        # Hashes and options follow the requirement, behind a space.
        yield from _pinned(re.split(r"\s(?:#|--|\\)", f"{line} ", maxsplit=1)[0].strip(" \\"), number)


def _pinned(text: str, line: int) -> Iterator[tuple[str, str, int]]:
    if "==" not in text or text.startswith(("#", "-")):
        return
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return
    for one in requirement.specifier:
        if one.operator in ("==", "===") and not one.version.endswith(".*"):
            yield requirement.name, one.version, line


def _locked(text: str) -> Iterator[tuple[str, str, int]]:
    """`[[package]]` with `name` and `version`: uv, Poetry and PDM agree on these."""
    package, is_inside = "", False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            package, is_inside = "", line.startswith("[[package]]")
        elif is_inside and (found := _KEY.match(line)) is not None:
            if found[1] == "name":
                package = found[2]
            elif package:
                yield package, found[2], number


def _pipfile(text: str) -> Iterator[tuple[str, str, int]]:
    package = ""
    for number, line in enumerate(text.splitlines(), 1):
        if (named := _PIPFILE_NAME.match(line)) is not None:
            package = named[1]
        elif (found := _PIPFILE_VERSION.match(line)) is not None and package:
            yield package, found[1], number


def _pyproject(text: str) -> Iterator[tuple[str, str, int]]:
    """Requirements between quotation marks, and Poetry's `name = "1.2.3"`."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            table = line.strip().strip("[]")
        elif table.startswith("tool.poetry.") and table.endswith("dependencies"):
            found = _POETRY.match(line.strip())
            if found is not None and found[1] != "python":
                yield found[1], found[2], number
        elif not line.lstrip().startswith("#"):
            for quoted in _QUOTED.finditer(line):
                yield from _pinned(quoted[1], number)
