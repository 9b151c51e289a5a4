"""Two users use the program one after another, each with objects of their own."""

from __future__ import annotations

from tests.zoo.drives.c01 import chat
from tests.zoo.stage import Stage

__all__ = ["chat", "crew", "settings"]


async def crew(stage: Stage) -> tuple[str, str]:
    return (
        await stage.module.kickoff("alice", stage.alice.canary),
        await stage.module.kickoff("bob", stage.bob.canary),
    )


def settings(stage: Stage) -> tuple[str, str]:
    remember = stage.module.remember
    return str(remember("alice", stage.alice.canary)), str(remember("bob", stage.bob.canary))
