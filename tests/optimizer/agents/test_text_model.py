"""A language model does not get to invent a figure."""

from __future__ import annotations

import pytest

from carrel.optimizer.agents.text_model import TextModel, without_foreign_figures
from tests.optimizer.agents.test_triage import Canned

SOURCE = "You spent **$1,234.50** on 30 days, 65% of it on gpt-5.4."


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("You spent $1,234.50.", "You spent $1,234.50."),
        ("You spent $1,234.51.", ""),
        ("Look at gpt-5.4 first. Save 12 %! Good luck.", "Look at gpt-5.4 first. Good luck."),
        ("Nothing to count here.", "Nothing to count here."),
        ("About 65%, in 30 days.", "About 65%, in 30 days."),
        ("", ""),
    ],
)
def test_sentences_with_other_figures_are_dropped(text: str, kept: str) -> None:
    assert without_foreign_figures(text, SOURCE) == kept


def test_the_protocol_is_what_an_adapter_implements() -> None:
    model: TextModel = Canned("x")
    assert model is not None
