"""Bob runs the agent after Alice has, or meanwhile."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap

__all__ = ["logging", "research", "signals"]


async def research(stage: Stage) -> tuple[str, str]:
    alice: list[str] = []
    bob: list[str] = []
    await stage.module.run("alice", f"about {stage.alice.canary}", alice)
    await stage.module.run("bob", f"about {stage.bob.canary}", bob)
    return str(alice), str(bob)


async def logging(stage: Stage) -> tuple[str, str]:
    alice: list[str] = []
    bob: list[str] = []
    run = stage.module.run
    await overlap(stage, run("alice", stage.alice.canary, alice), run("bob", stage.bob.canary, bob))
    return str(alice), str(bob)


async def signals(stage: Stage) -> tuple[str, str]:
    run = stage.module.Run
    alice, bob = run("alice"), run("bob")
    await alice.answer(f"about {stage.alice.canary}")
    await bob.answer(f"about {stage.bob.canary}")
    return str(alice.tokens), str(bob.tokens)
