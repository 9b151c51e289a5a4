"""An agent written with Pydantic AI, served by carrel: `pip install 'carrel[pydantic-ai]'`.

    CARREL_MODEL=openai:gpt-5-mini OPENAI_API_KEY=… \\
        carrel serve --agents pydantic_ai_agent:AGENTS --tools pydantic_ai_agent:TOOLS

Without `CARREL_MODEL` it uses Pydantic AI's test model, which calls every tool once and needs no key.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date

import pydantic_ai
from pydantic_ai.models.test import TestModel

from carrel import AgentRun, tool
from carrel.adapters.model import model_from_name
from carrel.adapters.pydantic_ai import as_agent
from carrel.runtime.store import BoundStore


@dataclass(frozen=True)
class Desk:
    """What the tools may reach: made for each request, and bound to its user."""

    store: BoundStore

    @classmethod
    def of(cls, run: AgentRun) -> Desk:
        return cls(run.store)


name = os.environ.get("CARREL_MODEL")
librarian = pydantic_ai.Agent(
    model_from_name(name) if name else TestModel(),
    deps_type=Desk,
    instructions="You keep a reading list. Be brief.",
)


@librarian.tool
async def reading_list(ctx: pydantic_ai.RunContext[Desk]) -> list[str]:
    """The titles on the user's reading list."""
    return await ctx.deps.store.get("titles") or []


@librarian.tool(metadata={"permission": "usage:write"}, timeout=5)
async def add_title(ctx: pydantic_ai.RunContext[Desk], title: str) -> str:
    """Put a title on the user's reading list."""
    titles = await ctx.deps.store.get("titles") or []
    await ctx.deps.store.put("titles", [*titles, title])
    return f"{title} is on the list"


@tool
def today() -> date:
    """Today's date."""
    return date.today()  # noqa: DTZ011 - the server's own day


AGENTS = (as_agent(librarian, name="librarian", description="Keeps a reading list.", deps=Desk.of, tools=("today",)),)
TOOLS = (today,)
