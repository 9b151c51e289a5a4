"""Which phase of a migration each file belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from carrel.migrate.recipe import PhaseRule, Recipe

__all__ = ["DEFAULT_PHASES", "REST", "needs_distances", "phase_names", "phase_of", "phases_of"]

REST: Final = "rest"
"""The phase of files that no rule takes; the last one, and only there when something is in it."""
DEFAULT_PHASES: Final = (
    PhaseRule(name="mission-critical", paths=("**/mission_critical/**", "**/critical/**")),
    PhaseRule(name="integration", paths=("**/integration/**", "**/integration_tests/**")),
    PhaseRule(name="end-to-end", paths=("**/e2e/**", "**/end_to_end/**")),
    PhaseRule(name="unit", paths=("**/tests/**", "**/test/**", "**/test_*.py", "**/*_test.py", "**/conftest.py")),
)
"""What a recipe without phases has, after the production code, which is riskiest and comes first."""


def phases_of(recipe: Recipe) -> tuple[PhaseRule, ...]:
    """The rules of a recipe, or the default ones where it has none."""
    return recipe.phases or DEFAULT_PHASES


def phase_names(recipe: Recipe) -> tuple[str, ...]:
    """The names of the phases that are applied, in order.

    A recipe with phases of its own has decided what to move: `REST` is then applied only when it is asked for by name.
    """
    names = tuple(rule.name for rule in phases_of(recipe))
    return names if recipe.phases else (*names, REST)


def needs_distances(rules: Iterable[PhaseRule]) -> bool:
    """Whether a rule asks for distances in the import graph."""
    return any(rule.distance_at_least is not None or rule.distance_at_most is not None for rule in rules)


def phase_of(path: str, rules: Iterable[PhaseRule], distances: Mapping[str, int], *, text: bool = False) -> str:
    """The name of the first phase that takes a file; `text` for what only phases with documentation take."""
    for rule in rules:
        if (rule.documentation or not text) and _takes(rule, path, distances):
            return rule.name
    return REST


def _takes(rule: PhaseRule, path: str, distances: Mapping[str, int]) -> bool:
    if path in rule.files:
        return True
    if rule.files and not rule.paths and rule.distance_at_least is None and rule.distance_at_most is None:
        return False
    if rule.paths and not any(_pattern(glob).fullmatch(path) for glob in rule.paths):
        return False
    if any(_pattern(glob).fullmatch(path) for glob in rule.exclude):
        return False
    if rule.distance_at_least is None and rule.distance_at_most is None:
        return True
    distance = distances.get(path)
    if distance is None:
        return False
    return (rule.distance_at_least or 0) <= distance and (
        rule.distance_at_most is None or distance <= rule.distance_at_most
    )


@lru_cache(maxsize=512)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = []
    for piece in re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", glob):
        match piece:
            case "**/":
                parts.append("(?:.*/)?")
            case "/**":
                parts.append("/.*")
            case "**":
                parts.append(".*")
            case "*":
                parts.append("[^/]*")
            case "?":
                parts.append("[^/]")
            case _:
                parts.append(re.escape(piece))
    return re.compile("".join(parts), re.DOTALL)
