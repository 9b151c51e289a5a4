"""A language model, as far as the optimizer uses one: for words, never for figures."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from carrel.runtime.agent import Usage

__all__ = ["TextModel", "without_foreign_figures"]

_FIGURE: Final = re.compile(r"\d[\d,.]*")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")


class TextModel(Protocol):
    """Turns instructions and a prompt into text. One instance serves all users and keeps nothing of a call."""

    async def complete(
        self, instructions: str, prompt: str, on_text: Callable[[str], Awaitable[None]]
    ) -> tuple[str, Usage]:
        """The whole text and what it cost; `on_text` is awaited with each piece as it arrives.

        Raises `AgentFailedError` when the model or its provider fails.
        """
        ...


def without_foreign_figures(text: str, source: str) -> str:
    """The sentences of `text` whose every figure stands in `source`: a model does not get to invent one."""
    known = {figure.rstrip(".,") for figure in _FIGURE.findall(source)}
    kept = [
        sentence
        for sentence in _SENTENCE.split(text.strip())
        if {figure.rstrip(".,") for figure in _FIGURE.findall(sentence)} <= known
    ]
    return " ".join(kept)
