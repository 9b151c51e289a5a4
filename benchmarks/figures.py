"""What a benchmark yields: figures with their bars, and notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, Protocol

__all__ = ["Bar", "Benchmark", "Figure", "Outcome", "Scale", "at_least", "at_most", "interleave", "ratio"]

Scale = Literal["tiny", "quick", "full"]
"""`tiny` proves that a benchmark works, `quick` gives a first impression, `full` is what documents quote."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach."""

    kind: Literal["at most", "at least"]
    value: float

    def met_by(self, value: float) -> bool:
        return value <= self.value if self.kind == "at most" else value >= self.value


def at_most(value: float) -> Bar:
    return Bar("at most", value)


def at_least(value: float) -> Bar:
    return Bar("at least", value)


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, once per round."""

    name: str
    unit: str
    values: tuple[float, ...]
    bar: Bar | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the bar; None without one."""
        return None if self.bar is None else self.bar.met_by(self.median)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "lowest": min(self.values),
            "highest": max(self.values),
            "values": list(self.values),
            "bar": None if self.bar is None else {"kind": self.bar.kind, "value": self.bar.value},
            "met": self.met,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything one benchmark found."""

    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()

    def figure(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)

    def as_json(self) -> dict[str, Any]:
        return {"figures": [figure.as_json() for figure in self.figures], "notes": list(self.notes)}


class Benchmark(Protocol):
    """One question about speed or memory, with the answer of carrel and of what it is compared with."""

    @property
    def name(self) -> str: ...

    @property
    def question(self) -> str: ...

    def measure(self, scale: Scale, *, peers: bool = True) -> Outcome:
        """Measure; blocks until done. Without `peers` nothing is installed and only carrel and floors are measured."""
        ...


def interleave(contestants: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, tuple[float, ...]]:
    """Run all contestants once to warm up, then `rounds` times in turn (A B A B), so that drift hits all alike."""
    for contestant in contestants.values():
        contestant()
    values: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            values[name].append(contestant())
    return {name: tuple(found) for name, found in values.items()}


def ratio(name: str, over: tuple[float, ...], under: tuple[float, ...], bar: Bar | None = None) -> Figure:
    """Round by round `over / under`: what stays true when the whole machine is slower."""
    return Figure(name, "times", tuple(a / b for a, b in zip(over, under, strict=True)), bar)
