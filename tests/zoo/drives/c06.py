"""Two users reach the object through its getter, together or one after another."""

from __future__ import annotations

from contextvars import copy_context

from tests.zoo.drives.c01 import chat as cached
from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap

__all__ = ["bot", "cached", "contract", "engine"]


async def bot(stage: Stage) -> tuple[str, str]:
    reply = stage.module.reply
    return await overlap(stage, reply("alice", stage.alice.canary), reply("bob", stage.bob.canary))


async def engine(stage: Stage) -> tuple[str, str]:
    made = stage.module.WorkflowEngine
    return await overlap(
        stage, made("thread of alice", stage.alice.canary).run(), _made_inside(stage, "thread of bob", stage.bob.canary)
    )


async def _made_inside(stage: Stage, thread: str, inputs: str) -> str:
    return str(await stage.module.WorkflowEngine(thread, inputs).run())


def contract(stage: Stage) -> tuple[str, str]:
    def visit(question: str) -> str:
        stage.module.st.open_session()
        return str(stage.module.page(question))

    return copy_context().run(visit, stage.alice.canary), copy_context().run(visit, stage.bob.canary)
