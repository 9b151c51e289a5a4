"""Models and tags in questions."""

from __future__ import annotations

import pytest

from carrel.optimizer.questions.names import find_models, find_tag

MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5.4", "claude-opus-4-1", "gemini-2.5-flash", "house-llm-13b")
TAGS = ("support-bot", "bot", "Nightly Report", "")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("gpt-4o-mini", ["gpt-4o-mini"]),
        ("GPT 4o and gpt-4o-mini", ["gpt-4o", "gpt-4o-mini"]),
        ("gpt-5", ["gpt-5"]),
        ("gpt-5.4", ["gpt-5.4"]),
        ("opus 4.1", ["claude-opus-4-1"]),
        ("what does gemini cost", ["gemini-2.5-flash"]),
        ("house_llm 13b", ["house-llm-13b"]),
        ("no model at all", []),
    ],
)
def test_models_of_the_records(text: str, names: list[str]) -> None:
    found = find_models(text, MODELS)
    assert [one.name for one in found] == names
    assert all(one.known for one in found)


@pytest.mark.parametrize("name", ["gpt-9", "gpt-4o-2024-08-06", "claude-sonnet-9", "o3", "gpt-5.5"])
def test_a_model_that_is_not_in_the_records_is_not_taken_for_another(name: str) -> None:
    assert [(one.name, one.known) for one in find_models(f"move gpt-4o to {name}", MODELS)] == [
        ("gpt-4o", True),
        (name, False),
    ]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("the support bot", "support-bot"),
        ("SUPPORT_BOT?", "support-bot"),
        ("only bots", "bot"),
        ("nightly-reports", "Nightly Report"),
        ("what is untagged", ""),
        ("about bottles", None),
    ],
)
def test_tags(text: str, tag: str | None) -> None:
    assert find_tag(text, TAGS) == tag


def test_names_with_signs_are_no_patterns() -> None:
    assert find_tag("a+b (c", ("a+b (c", ".*")) == "a+b (c"
    assert find_tag("anything", (".*",)) is None
    assert find_models("anything", (".*", "(")) == []
