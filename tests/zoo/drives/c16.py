"""A connection that worked for Alice works for someone else, later or meanwhile."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap

__all__ = ["notes", "schemas"]


async def notes(stage: Stage) -> tuple[str, str]:
    stage.load("postgres").tables["notes"] = [
        {"owner": "alice", "text": stage.alice.canary},
        {"owner": "", "text": "opening hours"},
    ]
    return str(await stage.module.my_notes("alice")), str(await stage.module.public_notes())


async def schemas(stage: Stage) -> tuple[str, str]:
    stage.load("postgres").tables["about"] = [
        {"schema": "alice", "text": stage.alice.canary},
        {"schema": "bob", "text": stage.bob.canary},
    ]
    describe = stage.module.describe
    return await overlap(stage, describe("alice"), describe("bob"))
