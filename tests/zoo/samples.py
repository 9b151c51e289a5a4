"""The zoo's samples, as the manifests in tests/data/zoo describe them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["SAMPLES", "SUPPORT", "ZOO", "Place", "Sample"]

ZOO = Path(__file__).parents[1] / "data" / "zoo"
SUPPORT = ZOO / "_support"

Verdict = Literal["leaks", "safe"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a sample where its leak is."""

    path: Path
    line: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One program: a file, or a directory whose modules import each other."""

    number: int
    """The leak class, 1 to 38."""
    title: str
    path: Path
    verdict: Verdict
    trigger: str
    """What brings the leak out: sequential, concurrent, same input, ids swapped, identity omitted, cancel, …"""
    entry: str
    """The module that the drive starts from."""
    drive: str
    """The function in `tests/zoo/drives/cNN.py` that a leaking sample and its safe twin are both put through."""
    subtle: bool
    """Whether the leak hides behind an alias, a helper, inheritance, a descriptor, a closure or the like."""
    at: tuple[str, ...]
    """`file: text of the line` for each place of the leak; none for a safe sample."""

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def root(self) -> Path:
        """The directory that is on `sys.path` when the sample runs."""
        return self.path if self.path.is_dir() else self.path.parent

    def places(self) -> tuple[Place, ...]:
        """Where the leak is. Raises `LookupError` if a manifest names a line that is not there."""
        return tuple(place for text in self.at for place in self._places(*text.split(": ", 1)))

    def _places(self, file: str, text: str) -> list[Place]:
        path = self.root / file
        lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        found = [Place(path, number) for number, line in lines if line.strip() == text]
        if not found:
            raise LookupError(f"{path} has no line {text!r}; correct `at` in {self.root.parent}/class.toml")
        return found


def _read(manifest: Path) -> list[Sample]:
    described = tomllib.loads(manifest.read_text(encoding="utf-8"))
    return [
        Sample(
            number=described["number"],
            title=described["title"],
            path=_path(manifest.parent, name),
            verdict=verdict,
            trigger=pair["trigger"],
            entry=pair.get("entry", name),
            drive=pair["drive"],
            subtle=pair.get("subtle", False),
            at=tuple(pair["at"]) if verdict == "leaks" else (),
        )
        for pair in described["pair"]
        for verdict, name in _twins(pair)
    ]


def _twins(pair: dict[str, str]) -> tuple[tuple[Verdict, str], ...]:
    return ("leaks", pair["leaks"]), ("safe", pair["safe"])


def _path(directory: Path, name: str) -> Path:
    file = directory / f"{name}.py"
    return file if file.exists() else directory / name


SAMPLES = tuple(sample for manifest in sorted(ZOO.glob("c*/class.toml")) for sample in _read(manifest))
