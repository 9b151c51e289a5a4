from __future__ import annotations

import pytest

from carrel.context import ambient_context
from carrel.errors import AgentNotFoundError, IsolationError
from carrel.runtime.agent import AgentRun
from carrel.runtime.factory import AgentFactory
from carrel.runtime.registry import AgentRegistry
from carrel.testing import MemoryRuntime


class Stateful:
    name = "stateful"
    description = "Would leak if it were shared."

    async def run(self, run: AgentRun) -> str:
        return ""


REGISTRY = AgentRegistry([Stateful])


def test_every_agent_is_fresh():
    factory = AgentFactory(REGISTRY)
    assert factory.create("stateful") is not factory.create("stateful")


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(AgentNotFoundError, match="there are: stateful"):
        AgentFactory(REGISTRY).create("other")


def test_a_factory_is_bound_once():
    runtime = MemoryRuntime()
    ada, other_run, bob = runtime.context("ada"), runtime.context("ada"), runtime.context("bob")
    unbound = AgentFactory(REGISTRY)
    bound = unbound.bind(ada)
    assert (unbound.context, bound.context, bound.registry) == (None, ada, REGISTRY)
    assert bound.bind(ada) is bound
    for foreign in (other_run, bob):
        with pytest.raises(IsolationError):
            bound.bind(foreign)


def test_a_bound_factory_makes_nothing_while_working_for_another_user():
    runtime = MemoryRuntime()
    bound = AgentFactory(REGISTRY).bind(runtime.context("ada"))
    with ambient_context(runtime.context("bob")), pytest.raises(IsolationError):
        bound.create("stateful")
