"""Modules given as text, for the tests of what is read from one file."""

from __future__ import annotations

from textwrap import dedent

from carrel.migrate.site import Site
from carrel.source import Module, ModuleName, read_module

__all__ = ["NAMES", "module", "shown"]

NAMES = frozenset({"Engine"})


def module(text: str) -> Module:
    """The module `pkg.app`."""
    return read_module("pkg/app.py", ModuleName("pkg.app", is_package=False), dedent(text).encode())


def shown(sites: list[Site]) -> list[tuple[int, str, str, tuple[str, ...]]]:
    """Line, kind, text and targets of each site."""
    return [(one.line, one.kind, one.text, one.targets) for one in sites]
