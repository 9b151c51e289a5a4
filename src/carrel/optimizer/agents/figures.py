"""What the agents hand to each other beside the plan: figures, exactly as tools returned them."""

from __future__ import annotations

from typing import Any

import msgspec

from carrel.optimizer.questions.plan import Plan
from carrel.runtime.agent import AgentRun

__all__ = ["Findings", "call", "read_findings", "sentence"]


class Findings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plan and what was found out so far; each value is the result of one tool."""

    plan: Plan
    overview: dict[str, Any] = {}
    breakdown: dict[str, Any] = {}
    days: dict[str, Any] = {}
    change: dict[str, Any] = {}
    savings: dict[str, Any] = {}
    move: dict[str, Any] = {}
    problem: str = ""
    """Why something could not be found out, for people."""

    def as_json(self) -> str:
        """For the next agent."""
        return msgspec.json.encode(self).decode()

    def joined(self, other: Findings) -> Findings:
        """Both together; where both say something, the other's."""
        found = {name: value for name in self.__struct_fields__ if (value := getattr(other, name)) not in ({}, "")}
        return msgspec.structs.replace(self, **found)


def read_findings(text: str) -> Findings | None:
    """The findings that `as_json` wrote, or None for any other text."""
    try:
        return msgspec.json.decode(text, type=Findings)
    except msgspec.DecodeError:
        return None


async def call(run: AgentRun, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a usage tool returns: an object."""
    result: dict[str, Any] = await run.call_tool(tool, **arguments)
    return result


def sentence(problem: str) -> str:
    """A problem as errors state it, as a sentence for an answer."""
    return f"{problem[:1].upper()}{problem[1:].rstrip('.')}."
