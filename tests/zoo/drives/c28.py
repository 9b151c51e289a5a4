"""Bob's request runs from start to end while Alice's waits; the model says whose key was billed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap

__all__ = ["answer"]


async def answer(stage: Stage) -> tuple[str, str]:
    ask = stage.module.answer
    with environment_kept():
        return await overlap(stage, ask(stage.alice.canary, "a question"), ask(stage.bob.canary, "a question"))


@contextmanager
def environment_kept() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
