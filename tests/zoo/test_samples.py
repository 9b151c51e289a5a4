"""The zoo is complete and its manifests describe what is there."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from tests.zoo.samples import SAMPLES, ZOO, Sample

CLASSES = range(1, 39)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_leak_is_where_the_manifest_says(sample: Sample) -> None:
    assert bool(sample.places()) == (sample.verdict == "leaks")


def test_every_class_has_two_leaking_and_two_safe_samples() -> None:
    counts: Counter[tuple[int, str]] = Counter((sample.number, sample.verdict) for sample in SAMPLES)
    wanted = [(number, verdict) for number in CLASSES for verdict in ("leaks", "safe")]
    assert [(key, counts[key]) for key in wanted if counts[key] < 2] == []


def test_a_third_of_the_samples_are_subtle() -> None:
    assert sum(sample.subtle for sample in SAMPLES) * 3 >= len(SAMPLES)


def test_every_file_of_the_zoo_belongs_to_a_sample() -> None:
    described = {sample.path for sample in SAMPLES}
    there = {path for path in ZOO.glob("c*/*") if path.name not in {"class.toml", "__pycache__"}}
    assert there == described


def test_a_manifest_that_names_a_missing_line_is_refused() -> None:
    leaking = next(sample for sample in SAMPLES if sample.verdict == "leaks")
    moved = dataclasses.replace(leaking, at=(f"{leaking.at[0]} # moved",))
    with pytest.raises(LookupError, match="correct `at`"):
        moved.places()
