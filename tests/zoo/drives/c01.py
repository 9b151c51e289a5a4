"""Two users use the program one after another."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import site

__all__ = ["chat", "gradio", "report"]


async def chat(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first = await alice.post("/chat", json={"text": stage.alice.canary})
        second = await bob.post("/chat", json={"text": stage.bob.canary})
    return first.text, second.text


def report(stage: Stage) -> tuple[str, str]:
    task = stage.module.build_report
    return task.delay("alice", [stage.alice.canary]), task.delay("bob", [])


def gradio(stage: Stage) -> tuple[str, str]:
    browser = stage.module.gr.Browser
    box = stage.module.box
    return browser().submit(box, stage.alice.canary), browser().submit(box, stage.bob.canary)
