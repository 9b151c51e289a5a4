"""Which agents there are: a read-only mapping from name to how one is made."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

from carrel.errors import AgentNotFoundError, SettingsError
from carrel.runtime.agent import Agent, AgentFunction, AgentResult, AgentRun

__all__ = ["AgentRegistry", "AgentSpec"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent that can be made: for agents that take more than a constructor without arguments.

    `make` returns a fresh instance on every call; `AgentRegistry` refuses one that does not.
    """

    name: str
    """Lower snake case."""
    description: str
    """One line: what it is for. People and the supervisor choose by it."""
    make: Callable[[], Agent]


class _FunctionAgent:
    """A function seen as an agent; holds the function and nothing of any request."""

    __slots__ = ("_function", "description", "name")

    def __init__(self, name: str, description: str, function: AgentFunction) -> None:
        self.name = name
        self.description = description
        self._function = function

    def run(self, run: AgentRun) -> Awaitable[str | AgentResult | None]:
        return self._function(run)


class AgentRegistry(Mapping[str, AgentSpec]):
    """Agents by name, in the order given; nothing can be added later.

    Takes classes (made without arguments), async functions of one argument and `AgentSpec`s. Each is made twice
    here, so that one that cannot be made, or that hands out a shared instance, is found at start-up. Raises
    `SettingsError` naming the agent for that, for a duplicate or missing name and for a wrong signature.
    """

    __slots__ = ("_specs",)

    def __init__(self, agents: Iterable[type[Agent] | AgentFunction | AgentSpec] = ()) -> None:
        specs: dict[str, AgentSpec] = {}
        for agent in agents:
            spec = agent if isinstance(agent, AgentSpec) else _spec_of(agent)
            _check(spec)
            if spec.name in specs:
                raise SettingsError("agents", f"two agents are named {spec.name!r}; rename one")
            specs[spec.name] = spec
        self._specs = MappingProxyType(specs)

    def __getitem__(self, name: str) -> AgentSpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def __repr__(self) -> str:
        return f"AgentRegistry({', '.join(self._specs)})"

    def make(self, name: str) -> Agent:
        """A fresh agent; raises `AgentNotFoundError` when there is none of the name."""
        spec = self._specs.get(name)
        if spec is None:
            raise AgentNotFoundError(name, tuple(self))
        return spec.make()


def _spec_of(agent: object) -> AgentSpec:
    if inspect.isclass(agent):
        name, description = getattr(agent, "name", None), getattr(agent, "description", None)
        if not isinstance(name, str) or not isinstance(description, str):
            raise SettingsError(
                "agents", f"class {agent.__qualname__} needs `name` and `description` as class attributes (strings)"
            )
        return AgentSpec(name, description, cast("Callable[[], Agent]", agent))
    if inspect.iscoroutinefunction(agent):
        _check_takes_one(agent, agent.__qualname__, "run")
        name = agent.__name__
        lines = (inspect.getdoc(agent) or "").splitlines()
        description = lines[0] if lines else ""
        return AgentSpec(name, description, lambda: _FunctionAgent(name, description, agent))
    raise SettingsError("agents", f"{agent!r} is neither a class, nor an `async def` function, nor an AgentSpec")


def _check(spec: AgentSpec) -> None:
    if not isinstance(spec.name, str) or not _NAME.fullmatch(spec.name):
        raise SettingsError("agents", f"{spec.name!r} is no agent name; use lower snake case, at most 64 characters")
    try:
        first, second = spec.make(), spec.make()
    except Exception as error:
        raise SettingsError("agents", f"agent {spec.name!r} cannot be made: {error}") from error
    if first is second:
        raise SettingsError("agents", f"agent {spec.name!r} is one shared instance; make a fresh one for every request")
    run = getattr(first, "run", None)
    if isinstance(first, _FunctionAgent):
        return
    if not inspect.iscoroutinefunction(run):
        raise SettingsError("agents", f"agent {spec.name!r} needs `async def run(self, run)`")
    _check_takes_one(run, spec.name, "run")


def _check_takes_one(function: Callable[..., object], name: str, argument: str) -> None:
    try:
        inspect.signature(function).bind(argument)
    except TypeError as error:
        raise SettingsError(
            "agents", f"agent {name!r} must take exactly one argument, the AgentRun: {error}"
        ) from error
