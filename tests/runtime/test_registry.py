from __future__ import annotations

from typing import Any

import pytest

from carrel.errors import AgentNotFoundError, SettingsError
from carrel.runtime.agent import AgentRun
from carrel.runtime.registry import AgentRegistry, AgentSpec


async def greeter(run: AgentRun) -> str:
    """Greets politely.

    And this is not part of the description.
    """
    return f"Good day, {run.input}"


class Counter:
    name = "counter"
    description = "Counts."

    async def run(self, run: AgentRun) -> str:
        return "1, 2, 3"


def test_functions_and_classes_are_found_by_name_in_order():
    registry = AgentRegistry([greeter, Counter])
    assert list(registry) == ["greeter", "counter"]
    assert len(registry) == 2
    assert registry["greeter"].description == "Greets politely."
    assert registry["counter"].description == "Counts."
    assert repr(registry) == "AgentRegistry(greeter, counter)"


def test_every_make_is_a_fresh_agent():
    registry = AgentRegistry([greeter, Counter])
    for name, spec in registry.items():
        assert spec.make() is not spec.make()
        assert registry.make(name) is not registry.make(name)


def test_an_agent_that_is_not_there_cannot_be_made():
    with pytest.raises(AgentNotFoundError, match="'other'; there are: greeter, counter"):
        AgentRegistry([greeter, Counter]).make("other")


def test_a_registry_cannot_be_changed():
    registry = AgentRegistry([greeter])
    with pytest.raises(TypeError):
        registry["other"] = registry["greeter"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        registry.extra = 1  # type: ignore[attr-defined]


def test_an_agent_with_parts_is_given_as_a_spec():
    registry = AgentRegistry([AgentSpec("mine", "Mine.", Counter)])
    assert registry["mine"].make().description == "Counts."


def test_a_function_without_a_docstring_has_no_description():
    async def silent(run: AgentRun) -> str:
        return ""

    assert AgentRegistry([silent])["silent"].description == ""


SHARED = Counter()


class NeedsArguments:
    name = "needs"
    description = "x"

    def __init__(self, something: object) -> None: ...

    async def run(self, run: AgentRun) -> str:
        return ""


class NotAsync:
    name = "not_async"
    description = "x"

    def run(self, run: AgentRun) -> str:
        return ""


class NoRun:
    name = "no_run"
    description = "x"


class TwoArguments:
    name = "two"
    description = "x"

    async def run(self, run: AgentRun, more: int) -> str:
        return ""


class Nameless:
    async def run(self, run: AgentRun) -> str:
        return ""


class BadName:
    name = "Bad Name"
    description = "x"

    async def run(self, run: AgentRun) -> str:
        return ""


async def no_argument() -> str:
    return ""


def plain_function(run: AgentRun) -> str:
    return ""


@pytest.mark.parametrize(
    ("agents", "named"),
    [
        ([greeter, greeter], "'greeter'"),
        ([NeedsArguments], "'needs'"),
        ([NotAsync], "'not_async'"),
        ([NoRun], "'no_run'"),
        ([TwoArguments], "'two'"),
        ([Nameless], "Nameless"),
        ([BadName], "'Bad Name'"),
        ([no_argument], "no_argument"),
        ([plain_function], "plain_function"),
        ([3], "3"),
        ([AgentSpec("shared", "x", lambda: SHARED)], "'shared' is one shared instance"),
    ],
)
def test_what_is_no_agent_is_refused_by_name(agents: list[Any], named: str):
    with pytest.raises(SettingsError, match=named):
        AgentRegistry(agents)
