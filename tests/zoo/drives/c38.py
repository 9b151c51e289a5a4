"""Bob's call runs from start to end while Alice's waits."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap

__all__ = ["debounce", "retry", "views"]


async def views(stage: Stage) -> tuple[str, str]:
    sample = stage.module
    for person in (stage.alice, stage.bob):
        sample.set_menu(person.name, person.canary)
    return await overlap(
        stage, sample.home(sample.Request(stage.alice.headers)), sample.home(sample.Request(stage.bob.headers))
    )


async def retry(stage: Stage) -> tuple[str, str]:
    """What is asked is whose mail Alice and Bob were told was sent."""
    send = stage.module.send_summary
    return await overlap(stage, send("alice", stage.alice.canary), send("bob", stage.bob.canary))


def debounce(stage: Stage) -> tuple[str, str]:
    stage.module.USAGE.update(alice=stage.alice.canary, bob=stage.bob.canary)
    return stage.module.usage("alice"), stage.module.usage("bob")
