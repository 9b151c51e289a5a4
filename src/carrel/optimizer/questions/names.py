"""The models and tags that a question names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["Mention", "find_models", "find_tag"]

_MODEL_LIKE: Final = re.compile(
    r"\b(?:gpt|claude|gemini|gemma|llama|mistral|mixtral|codestral|ministral|command|deepseek|grok|qwen|kimi|glm|o[134])"
    r"(?:[-.:/]?[a-z0-9]+)*\b"
)
# Parts of many models' names that say nothing alone.
_WEAK: Final = frozenset({"chat", "turbo", "large", "small", "medium", "fast", "latest", "preview", "model", "mini"})
_UNTAGGED: Final = re.compile(r"\b(?:untagged|without (?:a |any )?tags?|no tags?)\b")


class Mention(NamedTuple):
    """A model that the text names."""

    position: int
    name: str
    known: bool
    """Whether there are records of it."""


def find_models(text: str, models: Sequence[str]) -> list[Mention]:
    """The models that the text names, in order: those of the records, by name or a telling part of it, and others."""
    text = text.lower()
    taken = [False] * len(text)
    found: list[Mention] = []

    def take(pattern: str, name: str | None, *, known: bool) -> None:
        for match in re.finditer(pattern, text):
            if not any(taken[match.start() : match.end()]):
                taken[match.start() : match.end()] = [True] * (match.end() - match.start())
                found.append(Mention(match.start(), name if name is not None else match[0], known))

    # What looks like a whole name of a model is that model and not another one that it begins with.
    whole = {match[0] for match in _MODEL_LIKE.finditer(text)} - {model.lower() for model in models}
    for model in sorted(models, key=len, reverse=True):
        take(rf"(?<![\w.-]){_forms(model)}(?![\w-]|\.\w)", model, known=True)
    for name in sorted(whole, key=len, reverse=True):
        if re.search(r"[\d-]", name):
            take(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", None, known=False)
    for part, model in _telling_parts(models).items():
        take(rf"\b{re.escape(part)}\b", model, known=True)
    return sorted(found)


def find_tag(text: str, tags: Sequence[str]) -> str | None:
    """The tag that the text names, however its words are joined; the empty string for `untagged`."""
    text = text.lower()
    for tag in sorted(filter(None, tags), key=len, reverse=True):
        if re.search(rf"(?<![\w-]){_loose(tag)}s?(?![\w-])", text):
            return tag
    return "" if "" in tags and _UNTAGGED.search(text) else None


def _loose(name: str) -> str:
    """A pattern for the name whose parts may be joined by blanks, hyphens, underscores, dots or nothing."""
    parts = [re.escape(part).replace(r"\.", "[.-]") for part in re.split(r"[\s_-]+", name.lower()) if part]
    return r"[\s_.-]*".join(parts) or re.escape(name.lower())


def _forms(model: str) -> str:
    """The whole name, or the name without its vendor: `opus 4.1` for `claude-opus-4-1`."""
    _, _, rest = model.partition("-")
    return f"(?:{_loose(model)}|{_loose(rest)})" if re.match(r"[a-z]{3,}.*\d", rest.lower()) else _loose(model)


def _telling_parts(models: Sequence[str]) -> dict[str, str]:
    parts = [(part, model) for model in models for part in set(re.findall(r"[a-z]{4,}", model.lower()))]
    counts = Counter(part for part, _ in parts)
    return {part: model for part, model in parts if counts[part] == 1 and part not in _WEAK}
