"""Two agents and two tools of one's own: an agent as a function, an agent as a class, tools with typed arguments.

Serve them from this directory:

    carrel serve --agents own_agent:AGENTS --tools own_agent:TOOLS
"""

from __future__ import annotations

import re
from datetime import date

from carrel import AgentResult, AgentRun, UserExecutionContext, tool


@tool
def days_between(first: date, last: date) -> int:
    """How many days there are from one date to another; negative when the second is earlier."""
    return (last - first).days


@tool(permission="usage:read", timeout_seconds=5)
async def whoami(context: UserExecutionContext) -> dict[str, str]:
    """Who is asking. The context is filled in by carrel; a model or an agent cannot pass another one."""
    return {"user_id": context.user_id, "thread_id": context.thread_id}


async def calendar(run: AgentRun) -> str | None:
    """Counts the days between the first two dates in a question."""
    dates = re.findall(r"\d{4}-\d{2}-\d{2}", run.input)
    if len(dates) < 2:
        return "Name two dates, for example 2026-12-01 and 2026-12-24."
    await run.think(f"I found the dates {dates[0]} and {dates[1]}.")
    days = await run.call_tool("days_between", first=dates[0], last=dates[1])
    await run.say(f"From {dates[0]} to {dates[1]} ")
    await run.say(f"there are **{days} days**.")
    return None  # the answer is what was said


class Notebook:
    """Keeps notes for each user, between runs."""

    name = "notebook"
    description = "Keeps notes: `note: buy bread` writes one down, anything else lists the notes."

    async def run(self, run: AgentRun) -> str | AgentResult:
        notes = await run.store.get("notes") or []
        _, found, note = run.input.partition("note:")
        if not found:
            return "\n".join(f"- {note}" for note in notes) or "There are no notes yet."
        if not note.strip():
            return AgentResult(status="failed", error_code="empty_note", error_message="write the note after `note:`")
        await run.store.put("notes", [*notes, note.strip()])
        return f"That makes {len(notes) + 1}."


AGENTS = (calendar, Notebook)
TOOLS = (days_between, whoami)
