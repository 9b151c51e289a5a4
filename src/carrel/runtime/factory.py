"""Makes agents: a fresh instance for every request, so that nothing is carried from one to the next."""

from __future__ import annotations

import warnings

from carrel.context import UserExecutionContext, check_ambient
from carrel.errors import IsolationError
from carrel.runtime.agent import Agent
from carrel.runtime.old_registry import registry_of
from carrel.runtime.registry import AgentRegistry

__all__ = ["AgentFactory"]


class AgentFactory:
    """Makes the agents of a registry; bound to one run of one user once `context` is given."""

    __slots__ = ("_context", "_registry")

    def __init__(self, registry: AgentRegistry, *, context: UserExecutionContext | None = None) -> None:
        self._registry = registry
        self._context = context

    @classmethod
    def from_registry(cls, registry: object) -> AgentFactory:
        """Deprecated: a factory over a registry of another code base, for all users; no two share an agent of it.

        See `OldRegistry` for what is taken and how. Write `AgentFactory(AgentRegistry(agents))` instead. Raises
        `TypeError` when nothing can be looked up in it.
        """
        warnings.warn(
            "AgentFactory.from_registry(registry) is deprecated; call AgentFactory(AgentRegistry(agents))",
            DeprecationWarning,
            stacklevel=2,
        )
        return cls(registry_of(registry))

    @property
    def registry(self) -> AgentRegistry:
        """The agents that can be made."""
        return self._registry

    @property
    def context(self) -> UserExecutionContext | None:
        """Whom it is bound to; None before `bind`."""
        return self._context

    def bind(self, context: UserExecutionContext) -> AgentFactory:
        """A factory over the same registry for this context; raises `IsolationError` when bound to another request."""
        bound = self._context
        if bound is None:
            return AgentFactory(self._registry, context=context)
        if (bound.user_id, bound.run_id, bound.request_id) != (context.user_id, context.run_id, context.request_id):
            raise IsolationError("the agent factory")
        return self

    def create(self, name: str) -> Agent:
        """A fresh agent; raises `AgentNotFoundError`, and `IsolationError` while working for another user."""
        if self._context is not None:
            check_ambient(self._context, "the agent factory")
        return self._registry.make(name)
