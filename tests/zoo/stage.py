"""Loads a sample with its support packages, fresh each time, and names the two users who visit it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tests.zoo import canary
from tests.zoo.samples import SUPPORT, ZOO, Sample

__all__ = ["Person", "Stage", "on_stage"]


@dataclass(frozen=True, slots=True)
class Person:
    """A user: a name, a token that proves it, and a secret that no one else may see."""

    name: str
    canary: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One sample, ready to be imported, with its two visitors."""

    sample: Sample
    outside: Any
    """`_support/outside.py`: what the sample waits for, so that a drive decides who waits how long."""
    alice: Person
    bob: Person

    @property
    def module(self) -> Any:
        """The sample's entry module."""
        return self.load(self.sample.entry)

    def load(self, name: str) -> Any:
        """Another module of the sample, or one of its support packages."""
        return importlib.import_module(name)


@contextmanager
def on_stage(sample: Sample) -> Iterator[Stage]:
    """The sample's modules and the support packages exist inside the block only; real ones come back after it."""
    paths = [str(sample.root), str(SUPPORT)]
    shadowed = {path.stem for path in [*SUPPORT.iterdir(), *sample.root.iterdir()]}
    hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in shadowed}
    for name in hidden:
        del sys.modules[name]
    sys.path[:0] = paths
    importlib.invalidate_caches()
    try:
        sign = importlib.import_module("acme.auth").sign
        alice, bob = (Person(name, canary.make(f"{sample.name} {name}"), sign(name)) for name in ("alice", "bob"))
        yield Stage(sample, importlib.import_module("outside"), alice, bob)
    finally:
        for path in paths:
            sys.path.remove(path)
        for name in [name for name, module in sys.modules.items() if _of_the_zoo(module)]:
            del sys.modules[name]
        sys.modules.update(hidden)


def _of_the_zoo(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    places = [file] if file else list(getattr(module, "__path__", ()))
    return any(str(place).startswith(str(ZOO)) for place in places)
