"""What callers of the old engine ask, in the shapes they ask it, and what they read in the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from carrel.errors import IsolationError
from carrel.runtime.agent import AgentResult

__all__ = ["AgentExecutionResult", "read_request"]

MESSAGES: Final = ("message", "user_message", "user_request", "user_input", "input", "query")
NEW_CALL: Final = "call execute_agent(agent, input) with two strings"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentExecutionResult(AgentResult):
    """An `AgentResult` that can also be read as the old engine's result."""

    agent_name: str
    data: Any = None
    """What the agent returned, as it returned it."""

    @property
    def success(self) -> bool:
        """Whether it succeeded."""
        return self.status == "succeeded"

    @property
    def error(self) -> str | None:
        """What went wrong; None when nothing did."""
        return self.error_message

    @property
    def duration(self) -> float:
        """Seconds that it took."""
        return self.duration_ms / 1000

    @classmethod
    def of(cls, result: AgentResult, agent_name: str, data: object) -> Self:
        """The result with what the old one had besides."""
        # Not by __init__, which takes twice as long: every run ends here.
        made, put = object.__new__(cls), object.__setattr__
        put(made, "output", result.output)
        put(made, "status", result.status)
        put(made, "error_code", result.error_code)
        put(made, "error_message", result.error_message)
        put(made, "usage", result.usage)
        put(made, "duration_ms", result.duration_ms)
        put(made, "agent_name", agent_name)
        put(made, "data", data)
        return made


def read_request(agent: object, *others: object) -> tuple[str, str, object | None]:
    """What is asked for by `(agent, input)`, `(agent, context)`, `(execution_context)`, `(execution_context, state)` …

    Returns the agent's name, the input and the context of whom it is for, None when only the engine knows.

    The agent is a name or an object with `agent_name`. Of the others, strings are the input, objects with `user_id`
    contexts, and objects with a message (`user_request`, …) the old state. Without a string the input is the message
    in the `metadata` or `agent_context` of a context, or in the state; empty when there is none. Raises `TypeError`
    for anything else and `IsolationError` when two of them name different users.
    """
    name = agent if isinstance(agent, str) else getattr(agent, "agent_name", None)
    if not isinstance(name, str):
        raise TypeError(f"a {type(agent).__name__} names no agent; {NEW_CALL}")
    text: str | None = None
    context: object | None = None
    objects: list[object] = [] if agent is name else [agent]
    for other in others:
        if other is None:
            continue
        if not isinstance(other, str):
            objects.append(other)
        elif text is None:
            text = other
        else:
            raise TypeError(f"two inputs were given; {NEW_CALL}")
    known = None
    for one in objects:
        user_id = getattr(one, "user_id", None)
        if user_id:
            if known is not None and known != user_id:
                raise IsolationError("one of the contexts of execute_agent")
            context, known = one, user_id  # a user's context knows more than one of an execution, and comes after it
        elif one is not agent and _message(one) is None:
            raise TypeError(f"a {type(one).__name__} is neither an input nor a context; {NEW_CALL}")
    if text is None:
        text = _first_message(objects)
    return name, text, context


def _first_message(objects: list[object]) -> str:
    for one in objects:
        found = _message(one)
        if found is not None:
            return found
    return ""


def _message(one: object) -> str | None:
    metadata = getattr(one, "metadata", None)
    text = metadata.get(MESSAGES[0]) if isinstance(metadata, dict) else None
    if isinstance(text, str):  # where nearly all code has it
        return text
    for carrier in (metadata, getattr(one, "agent_context", None), one):
        for name in () if carrier is None else MESSAGES:
            text = carrier.get(name) if isinstance(carrier, dict) else getattr(carrier, name, None)
            if isinstance(text, str):
                return text
    return None
