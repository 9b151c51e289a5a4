"""The recipes that ship are read, and every name and parameter of carrel's that they write exists."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import carrel
from carrel.migrate.phases import phase_of
from carrel.migrate.recipe import ConstructorCall, parse_recipe, read_recipe

ROOT = Path(__file__).parents[1]
TO_CARREL = ROOT / "recipes" / "to_carrel.toml"
TEXT = TO_CARREL.read_text(encoding="utf-8")
RECIPE = read_recipe(TO_CARREL)
ENGINE = RECIPE.constructors[0]
LAST_STEP = parse_recipe(
    re.sub(r"^# ((?:\[\[constructors|\w+(?:\.\w+)? = ).*)$", r"\1", TEXT, flags=re.MULTILINE), "the last step"
).constructors[0]


def named(path: str) -> Any:
    found: Any = carrel
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found


def written(call: ConstructorCall) -> Any:
    """What a call of the recipe calls."""
    return named(call.call.removeprefix("await ").replace("{new}", "carrel.UserExecutionEngine"))


TARGETS = sorted(set(re.findall(r'"(carrel(?:\.\w+)+)"', TEXT)))
CALLS = [pytest.param(call, id=f"{call.where} {call.call}") for call in LAST_STEP.calls]


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_that_ships_is_read(path: Path):
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert phase_of("tests/unit/test_a.py", recipe.phases, {}) != "rest"


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_of_the_recipe_exists(target: str):
    assert named(target) is not None
    assert target.split(".")[1] in carrel.__all__


@pytest.mark.parametrize("call", CALLS)
def test_a_constructors_new_parameters_bind_to_the_real_signature(call: ConstructorCall):
    inspect.signature(written(call)).bind(**call.parameters)


@pytest.mark.parametrize("call", CALLS)
def test_a_constructors_parameters_are_made_of_the_old_ones(call: ConstructorCall):
    used = {name for text in call.parameters.values() for name in re.findall(r"\{(\w+)\}", text)}
    assert used == {"registry", "websocket_bridge", "user_context"} == set(ENGINE.old_signature.parameters)
    assert used <= set(inspect.signature(carrel.ExecutionEngine).parameters)


def test_what_the_last_step_needs_is_imported_from_carrel():
    last = LAST_STEP.calls[-1]
    needed = {name for text in last.parameters.values() for name in re.findall(r"\b([A-Z]\w+)\.", text)}
    imported = {name.strip() for one in last.imports for name in one.partition("import ")[2].split(",")}
    assert last.call == "{new}"
    assert needed == imported <= set(carrel.__all__)


def test_what_is_renamed_is_there_under_both_names():
    for attribute in RECIPE.attributes:
        for old, new in attribute.rename.items():
            assert hasattr(carrel.ExecutionEngine, old)
            assert hasattr(carrel.UserExecutionEngine, new)


def test_awaited_calls_are_awaitable_and_others_are_not():
    for call in ENGINE.calls:
        assert call.call.startswith("await ") is (call.where == "async")
