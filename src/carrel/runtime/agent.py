"""What an agent is, what it may use, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from carrel.context import UserExecutionContext
from carrel.events import RunStatus
from carrel.runtime.store import BoundStore, Message

if TYPE_CHECKING:
    from carrel.runtime.tools import Tool

__all__ = ["Agent", "AgentFunction", "AgentResult", "AgentRun", "ToolDescription", "Usage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a run consumed at model providers; zeros when no model was called."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentResult:
    """How a request ended. An agent returns one (or just its output); the engine completes it."""

    output: str = ""
    """The answer, Markdown."""
    status: RunStatus = "succeeded"
    error_code: str | None = None
    """Stable for clients; None when it succeeded."""
    error_message: str | None = None
    """For people; None when it succeeded."""
    usage: Usage = Usage()
    duration_ms: float = 0.0


class AgentRun(Protocol):
    """One request as its agent sees it: all that an agent may use, bound to one user for life.

    Every method raises `EngineClosedError` once the request is over.
    """

    @property
    def context(self) -> UserExecutionContext:
        """Who this is for. Read only."""
        ...

    @property
    def input(self) -> str:
        """What the user, or the agent above, asked."""
        ...

    @property
    def history(self) -> Sequence[Message]:
        """Earlier messages of the thread, oldest first, without this input."""
        ...

    @property
    def store(self) -> BoundStore:
        """Values kept for this user between runs."""
        ...

    @property
    def agents(self) -> Mapping[str, str]:
        """Agents that `run_agent` accepts: name to description, in registry order."""
        ...

    @property
    def tools(self) -> Mapping[str, ToolDescription]:
        """Tools that this user may call: name to description."""
        ...

    async def think(self, text: str) -> None:
        """Show one step of reasoning or progress (`agent_thinking`); durable when it returns."""
        ...

    async def say(self, text: str) -> None:
        """Add the next piece of the answer while it is written; pieces are joined before they are sent.

        An agent that returns None, or an empty output, answers with what it said.
        """
        ...

    async def call_tool(self, name: str, /, **arguments: Any) -> Any:
        """Call a tool and return its result.

        Raises `ToolNotFoundError`, or `ToolFailedError` for bad arguments, a missing permission, a time-out or a
        failure; each is also a `tool_completed` event. Calls may run concurrently.
        """
        ...

    async def use_tool(self, tool: Tool, /, **arguments: Any) -> Any:
        """Call a tool that this agent brings along, under the same permissions, time-outs and events.

        Raises what `call_tool` raises, without `ToolNotFoundError`: the tool need not be registered.
        """
        ...

    async def run_agent(self, name: str, input: str) -> AgentResult:
        """Run another agent as a sub-agent of this request and return how it ended, failed or not.

        Raises `AgentNotFoundError`, and `ContextError` for a cycle or too deep a nesting.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDescription:
    """What a person or a model needs to know to call a tool."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema (2020-12) of the arguments, an object."""


class Agent(Protocol):
    """An agent as a class: an instance is made for each request and dropped after it.

    The class has `name` (lower snake case) and `description` as class attributes.
    """

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    def run(self, run: AgentRun) -> Awaitable[str | AgentResult | None]:
        """Answer the request; written as `async def run`."""
        ...


AgentFunction = Callable[[AgentRun], Awaitable[str | AgentResult | None]]
"""An agent as a function: its name is the function's, its description the first line of the docstring."""
