"""Versions of libraries that are known to show one user's data to another."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.version import Version

__all__ = ["Advisory", "advisories", "advisories_for"]


class Advisory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about some versions of one package."""

    package: str
    """Its normalised name (PEP 503)."""
    affected: tuple[str, ...]
    """Version specifiers (PEP 440), each a range of its own."""
    fixed: str
    leaks: str
    """What happens, as part of a sentence."""
    classes: tuple[int, ...]
    """The leak classes that it is an example of."""
    sources: tuple[str, ...]
    """Where it is written: the advisory, the project's issue."""
    uses: tuple[str, ...] = ()
    """What a program that leaks imports, calls or sets, by dotted names, or by the argument of a call:
    `launch(server_name)`; empty where whoever has the package uses it."""
    unless: tuple[str, ...] = ()
    """What it does not do, by such names."""
    unless_session: bool = False
    """Nothing leaks where a hook uses the session in every request."""

    def affects(self, version: Version) -> bool:
        return any(SpecifierSet(one).contains(version, prereleases=True) for one in self.affected)


@cache
def advisories() -> tuple[Advisory, ...]:
    """Every advisory that comes with carrel."""
    text = files("carrel.audit").joinpath("advisories.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["advisory"], tuple[Advisory, ...])


def advisories_for(package: str, version: Version) -> tuple[Advisory, ...]:
    """The advisories about one version of a package; `package` is its normalised name."""
    return tuple(one for one in advisories() if one.package == package and one.affects(version))
