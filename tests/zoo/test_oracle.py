"""Every leaking sample of the zoo leaks when it is run, and its safe twin does not under the same drive."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import inspect

import pytest

from tests.zoo import canary
from tests.zoo.samples import SAMPLES, Sample
from tests.zoo.stage import Stage, on_stage


def outcome(sample: Sample, stage: Stage) -> tuple[object, object]:
    """What Alice and what Bob got in the end."""
    drive = getattr(importlib.import_module(f"tests.zoo.drives.c{sample.number:02}"), sample.drive)
    got = drive(stage)
    alice, bob = asyncio.run(got) if inspect.iscoroutine(got) else got
    return alice, bob


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_what_its_name_says(sample: Sample) -> None:
    with on_stage(sample) as stage:
        alice, bob = outcome(sample, stage)
        crossed = canary.reached(stage.alice.canary, bob) or canary.reached(stage.bob.canary, alice)
        served = canary.reached(stage.alice.canary, alice) or canary.reached(stage.bob.canary, bob)
    assert crossed == (sample.verdict == "leaks"), (alice, bob)
    assert served or sample.verdict == "leaks", "a safe sample serves its users, or its silence proves nothing"


@pytest.mark.parametrize("sample", SAMPLES[:2], ids=lambda sample: sample.name)
def test_a_sample_with_the_wrong_name_is_found(sample: Sample) -> None:
    renamed = dataclasses.replace(sample, verdict="safe" if sample.verdict == "leaks" else "leaks")
    with pytest.raises(AssertionError):
        test_a_sample_is_what_its_name_says(renamed)
