"""Bob uploads a file of the same name while Alice's is being worked on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap, site

__all__ = ["convert", "render"]


async def convert(stage: Stage) -> tuple[str, str]:
    with temporary_files_apart():
        async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
            first, second = await overlap(
                stage,
                alice.post("/extract", content=stage.alice.canary),
                bob.post("/extract", content=stage.bob.canary),
            )
    return first.text, second.text


async def render(stage: Stage) -> tuple[str, str]:
    run = stage.module.render
    with temporary_files_apart():
        return await overlap(
            stage,
            run("alice", "cv", stage.alice.canary),
            run("bob", "cv", stage.bob.canary),
        )


@contextmanager
def temporary_files_apart() -> Iterator[None]:
    """What a sample takes for the machine's temporary directory is one of the test's."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as directory:
        tempfile.tempdir = directory
        try:
            yield
        finally:
            tempfile.tempdir = before
