"""The recipes that ship are read, and every name and parameter that they write exists."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import carrel

ROOT = Path(__file__).parents[1]
RECIPE: dict[str, Any] = tomllib.loads((ROOT / "recipes" / "to_carrel.toml").read_text(encoding="utf-8"))


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def named(path: str) -> Any:
    found: Any = carrel
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found


TARGETS = sorted({name for text in texts(RECIPE) for name in re.findall(r"\bcarrel(?:\.\w+)+", text)})
CALLS = [
    pytest.param(call, id=kind)
    for mapping in RECIPE["constructors"]
    for kind, call in mapping.items()
    if isinstance(call, dict)
]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_of_the_recipe_exists(target: str):
    assert named(target) is not None
    assert target.split(".")[1] in carrel.__all__


@pytest.mark.parametrize("call", CALLS)
def test_a_constructors_new_parameters_bind_to_the_real_signature(call: dict[str, Any]):
    function = named(call["call"].removeprefix("await "))
    inspect.signature(function).bind(**call["parameters"])


@pytest.mark.parametrize("call", CALLS)
def test_a_constructors_parameters_are_made_of_the_old_ones(call: dict[str, Any]):
    old = inspect.signature(carrel.ExecutionEngine).parameters
    used = {name for text in texts(call["parameters"]) for name in re.findall(r"\{(\w+)\}", text)}
    assert used == {"registry", "websocket_bridge", "user_context"} <= set(old)


def test_what_is_renamed_is_there_under_both_names():
    for attribute in RECIPE["attributes"]:
        for old, new in attribute["rename"].items():
            assert hasattr(carrel.ExecutionEngine, old)
            assert hasattr(carrel.UserExecutionEngine, new)


def test_awaited_calls_are_awaitable_and_others_are_not():
    kinds = RECIPE["constructors"][0]
    assert kinds["async"]["call"].startswith("await ")
    assert not kinds["sync"]["call"].startswith("await ")
