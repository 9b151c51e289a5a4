"""What the clients of one user saw and were promised, written down as it happens."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
CANARY = re.compile(r"canary-[0-9a-f]{16}")


@dataclass
class Start:
    """One `start_run`, sent until it is answered."""

    id: str
    input: str
    agent: str
    if_busy: str
    answers: set[str] = field(default_factory=set)
    """The run ids that `accepted` frames named; there must never be two."""
    thread_id: str | None = None


@dataclass
class Journal:
    """One user."""

    name: str
    canary: str
    token: str = field(repr=False)
    user_id: str = ""
    epochs: set[str] = field(default_factory=set)
    seen: dict[int, Event] = field(default_factory=dict)
    starts: list[Start] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What a client saw that must never be seen."""
    connections: int = 0
    refusals: dict[str, int] = field(default_factory=dict)

    def heard(self, text: str) -> dict[str, Any]:
        """Any text that came from the server; every byte of it is this user's."""
        strangers = set(CANARY.findall(text)) - {self.canary}
        if strangers:
            self.broken.append(f"{self.name} was sent {strangers}: {text[:300]}")
        frame: dict[str, Any] = json.loads(text)
        return frame

    def saw(self, event: Event) -> None:
        """An event that a client handled."""
        if event["user_id"] != self.user_id:
            self.broken.append(f"{self.name} was sent an event of {event['user_id']}")
        before = self.seen.setdefault(event["offset"], event)
        if before != event:
            self.broken.append(f"{self.name}: offset {event['offset']} is two events: {before} and {event}")
        self.epochs.add(event["epoch"])

    def answered(self, start: Start, frame: dict[str, Any]) -> None:
        """An `accepted`."""
        start.answers.add(frame["run_id"])
        if start.thread_id not in (None, frame["thread_id"]):
            self.broken.append(f"{self.name}: {start.id} was accepted into another thread")
        if frame["thread_id"] not in self.threads:
            self.threads.append(frame["thread_id"])
