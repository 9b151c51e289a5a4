"""A text that belongs to one user, and whether some of it is in what another user got."""

from __future__ import annotations

import random

__all__ = ["WINDOW", "make", "reached"]

# No vowel and no hex digit: never part of a UUID, a hash or a word, untouched by JSON, HTML and URL escaping.
LETTERS = "ghjkmnpqrstvwxyz"
LENGTH = 24
WINDOW = 12


def make(seed: str) -> str:
    """The same canary for the same seed, another one for any other."""
    generator = random.Random(seed)
    return "".join(generator.choices(LETTERS, k=LENGTH))


def reached(canary: str, what: object) -> bool:
    """Whether any twelve letters of the canary, one after another, are in the text of `what`."""
    text = what.decode("latin-1") if isinstance(what, bytes) else str(what)
    return any(canary[start : start + WINDOW] in text for start in range(LENGTH - WINDOW + 1))
