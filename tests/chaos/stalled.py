"""A client in a process of its own, to be stopped by a signal: writes what it sees to standard output, as lines.

python -m tests.chaos.stalled http://127.0.0.1:8000 NAME CANARY TOKEN
"""

from __future__ import annotations

import asyncio
import random
import sys
from typing import Any

from tests.chaos.clients import Client
from tests.chaos.journal import Event, Journal


class Printed(Journal):
    """A journal that another process reads."""

    def heard(self, text: str) -> dict[str, Any]:
        frame = super().heard(text)
        while self.broken:
            print("broken", self.broken.pop(), flush=True)
        return frame

    def saw(self, event: Event) -> None:
        super().saw(event)
        print("saw", event["offset"], event["event_id"], flush=True)


async def main(address: str, name: str, canary: str, token: str) -> None:
    await Client(Printed(name, canary, token), lambda: address, random.Random(0)).follow()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
