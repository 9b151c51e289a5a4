"""What is to be found out, as it goes from agent to agent."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from carrel.optimizer.figures import Dimension

__all__ = ["Kind", "Plan", "Vocabulary", "read_plan"]

Kind = Literal["savings", "spend", "change", "move", "help", "unclear"]


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """What a user's questions can be about."""

    models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    today: date


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question: of what kind, about which records."""

    kind: Kind
    by: Dimension = "model"
    strategy: Literal["all", "caps", "switch", "batch", "caching"] = "all"
    since: date | None = None
    until: date | None = None
    """Included."""
    period: str = ""
    """How the question said it, where its days follow from the records: `the last 7 days of your records`."""
    model: str | None = None
    tag: str | None = None
    target: str | None = None
    """The model to move to."""
    problem: str = ""
    """Why it cannot be answered, for people; empty when it can."""

    @property
    def scope(self) -> dict[str, Any]:
        """The arguments that the usage tools take for these records."""
        scope = {"since": self.since, "until": self.until, "model": self.model, "tag": self.tag}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in scope.items()
            if value is not None
        }

    def as_json(self) -> str:
        """For the next agent."""
        return msgspec.json.encode(self).decode()


def read_plan(text: str) -> Plan | None:
    """The plan that `as_json` wrote, or None for any other text."""
    try:
        return msgspec.json.decode(text, type=Plan)
    except msgspec.DecodeError:
        return None
