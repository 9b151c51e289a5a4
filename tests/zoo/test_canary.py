"""A canary is found in part and in any place, and never where it is not."""

from __future__ import annotations

import uuid

import pytest

from tests.zoo import canary


def test_the_same_seed_gives_the_same_canary() -> None:
    assert canary.make("alice") == canary.make("alice") != canary.make("bob")


@pytest.mark.parametrize("found", [str, str.encode, lambda text: [{"text": text}], lambda text: text[5:-5]])
def test_a_canary_is_found(found) -> None:
    text = canary.make("alice")
    assert canary.reached(text, found(text))


@pytest.mark.parametrize("other", ["", "Alice", canary.make("bob"), canary.make("alice")[:11], str(uuid.uuid4())])
def test_a_canary_is_not_found_in_anything_else(other: str) -> None:
    assert not canary.reached(canary.make("alice"), other)
