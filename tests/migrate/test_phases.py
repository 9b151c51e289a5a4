"""Tests of carrel.migrate.phases."""

from __future__ import annotations

import msgspec
import pytest

from carrel.migrate.phases import DEFAULT_PHASES, REST, needs_distances, phase_names, phase_of, phases_of
from carrel.migrate.recipe import PhaseRule
from tests.migrate.tree import recipe


@pytest.mark.parametrize(
    ("path", "globs", "taken"),
    [
        ("a/b.py", ("a/*",), True),
        ("a/b/c.py", ("a/*",), False),
        ("a/b/c.py", ("a/**",), True),
        ("a", ("a/**",), False),
        ("a.py", ("**/*.py",), True),
        ("x/y/a.py", ("**/y/**",), True),
        ("y/a.py", ("**/y/**",), True),
        ("xy/a.py", ("**/y/**",), False),
        ("a1.py", ("a?.py",), True),
        ("a.pyc", ("*.py",), False),
        ("anything", (), True),
    ],
)
def test_globs_stay_inside_directories(path: str, globs: tuple[str, ...], taken: bool):
    assert (phase_of(path, [PhaseRule(name="p", paths=globs)], {}) == "p") is taken


def test_the_first_phase_that_takes_a_file_has_it():
    rules = [
        PhaseRule(name="chosen", files=("z.py",)),
        PhaseRule(name="near", distance_at_least=1, distance_at_most=2, exclude=("b.py",)),
        PhaseRule(name="far", distance_at_least=3),
    ]
    distances = {"a.py": 1, "b.py": 2, "c.py": 9, "z.py": 1}
    found = {path: phase_of(path, rules, distances) for path in ("a.py", "b.py", "c.py", "d.py", "z.py")}
    assert found == {"a.py": "near", "b.py": REST, "c.py": "far", "d.py": REST, "z.py": "chosen"}
    assert needs_distances(rules)
    assert not needs_distances(rules[:1])


def test_only_phases_with_documentation_take_text():
    rules = [PhaseRule(name="code"), PhaseRule(name="docs", documentation=True)]
    assert phase_of("a.md", rules, {}, text=True) == "docs"
    assert phase_of("a.py", rules, {}) == "code"


def test_a_recipe_without_phases_has_the_default_ones():
    assert phases_of(recipe()) == DEFAULT_PHASES
    paths = ("tests/mission_critical/a.py", "x/integration/a.py", "e2e/a.py", "x/test_a.py", "x/a.py")
    names = [phase_of(path, DEFAULT_PHASES, {}) for path in paths]
    assert names == ["mission-critical", "integration", "end-to-end", "unit", REST]


def test_a_recipe_without_phases_is_applied_in_the_default_ones_and_the_rest():
    assert phase_names(recipe()) == (*(one.name for one in DEFAULT_PHASES), REST)


def test_a_recipe_with_phases_has_decided_what_to_move():
    chosen = msgspec.structs.replace(recipe(), phases=(PhaseRule(name="app", paths=("app/**",)),))
    assert phase_names(chosen) == ("app",)
