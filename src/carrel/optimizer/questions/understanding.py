"""From a question in English, and what was asked before it, to a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from carrel.optimizer.figures import Dimension
from carrel.optimizer.questions.names import Mention, find_models, find_tag
from carrel.optimizer.questions.periods import find_period
from carrel.optimizer.questions.plan import Kind, Plan, Vocabulary

__all__ = ["CAPABILITIES", "understand", "understand_thread"]

CAPABILITIES: Final = (
    "- Where can I cut my AI bill?\n"
    "- What did I spend last week? On one model, by tag, per day, by kind of token?\n"
    "- Which model costs most?\n"
    "- Why did my bill rise?\n"
    "- How much would caching, batching, shorter answers or newer models save?\n"
    "- What if I moved one model to another?\n"
)
"""What can be asked, as a Markdown list."""

_MOVE: Final = re.compile(
    r"\b(?:mov(?:e|ed|ing)|switch(?:ed|ing)?|replac(?:e|ed|ing)|migrat(?:e|ed|ing)|instead)\b|\bwhat if\b.*\bused?\b"
)
_TARGET: Final = re.compile(r"\b(?:to|with|by)\s+((?!the\b|a\b|an\b|my\b|it\b)[a-z][\w.:/-]*\w)")
_CHANGE: Final = re.compile(
    r"\bwhy\b.*\b(?:ris(?:e|en|ing)|rose|up|more|higher|increas\w*|gr[eo]w\w*|jump\w*|spik\w*|chang\w*|drop\w*|f[ae]ll\w*|"
    r"down|less|lower|so (?:high|much|expensive))\b|\bwhat (?:has )?changed\b|\bcompared? (?:to|with)\b"
)
_SAVINGS: Final = re.compile(
    r"\b(?:sav(?:e|es|ed|ing|ings)|cut(?:ting)?|reduc\w*|cheaper|lower(?:ing)?|optimi[sz]\w*|trim\w*|waste\w*|"
    r"spend less|pay less|cost less|too much)\b"
)
_SPEND: Final = re.compile(
    r"\b(?:spen[dt]\w*|costs?|bills?|paid|pay|expens\w*|usage|use[ds]?|how much|how many|tokens?|requests?|records?|"
    r"total|money|breakdown|break down|summary|overview|trend)\b"
)
_HELP: Final = re.compile(
    r"^\W*(?:help|hello|hi|hey|thanks?|thank you)\b|\bwhat can (?:you|i)\b|\bwho are you\b|"
    r"\bhow do(?:es)? (?:this|you) work\b"
)
_FOLLOWS: Final = re.compile(
    r"^\W*(?:and|but|also|only|just|now|then|what about|how about|same|for)\b|\b(?:there|that|those|it)\b\W*$"
)
_ALL: Final = re.compile(r"\b(?:everything|overall|in total|all (?:of (?:it|them)|models|tags|records|days|time))\b")
_BY: Final[tuple[tuple[Dimension, re.Pattern[str]], ...]] = (
    (
        "token_kind",
        re.compile(
            r"\b(?:(?:kinds?|types?) of tokens?|token (?:kinds?|types?)|input (?:and|or|vs\.?|versus) output|"
            r"input tokens|output tokens|cached)\b"
        ),
    ),
    ("day", re.compile(r"\b(?:(?:by|per|each|every|a|which) day|days?\b.*\bmost|daily|over time|trend)\b")),
    ("tag", re.compile(r"\b(?:(?:by|per|each|every|which) (?:tags?|project|feature|use case|team|app)|tags)\b")),
    ("model", re.compile(r"\b(?:(?:by|per|each|every|which|what) (?:models?|llms?)|models)\b")),
)
_STRATEGIES: Final[tuple[tuple[Literal["caching", "batch", "caps", "switch"], re.Pattern[str]], ...]] = (
    ("caching", re.compile(r"\b(?:prompt )?cach(?:e|es|ing)\b")),
    ("batch", re.compile(r"\bbatch(?:es|ed|ing)?\b")),
    (
        "caps",
        re.compile(
            r"\b(?:caps?|capping|shorter|verbose|max(?:imum)? (?:output )?tokens|output limits?|"
            r"limit(?:ing)? (?:the )?(?:output|answers))\b"
        ),
    ),
    ("switch", re.compile(r"\b(?:cheaper|other|newer|different|another|smaller) models?\b")),
)


def understand_thread(earlier: Iterable[str], text: str, vocabulary: Vocabulary) -> Plan:
    """The plan of a question after the user's earlier ones, oldest first, in the same thread."""
    previous: Plan | None = None
    for question in earlier:
        plan = understand(question, vocabulary, previous)
        if plan.kind not in ("unclear", "help"):
            previous = plan
    return understand(text, vocabulary, previous)


def understand(text: str, vocabulary: Vocabulary, previous: Plan | None = None) -> Plan:
    """What `text` asks for. A question that is only a new scope asks the previous one again, about that scope."""
    lowered = " ".join(text.lower().split())
    by: Dimension | None
    tag = find_tag(lowered, vocabulary.tags)
    # The words of a tag say what the question is about, not what it asks.
    asked = _without(lowered, tag) if tag else lowered
    mentions = find_models(asked, vocabulary.models)
    period = find_period(asked, last_day=vocabulary.last_day, today=vocabulary.today)
    kind = _kind(asked, mentions)
    by = next((name for name, pattern in _BY if pattern.search(asked)), None)
    strategy = next((name for name, pattern in _STRATEGIES if pattern.search(asked)), None)
    known = [mention.name for mention in mentions if mention.known]
    says_scope = bool(mentions or by or tag is not None or period is not None)
    follows = previous is not None and (bool(_FOLLOWS.search(asked)) or (kind is None and says_scope))
    scope: dict[str, Any] = {}
    if follows and not _ALL.search(asked):
        assert previous is not None
        scope = {
            name: getattr(previous, name) for name in ("since", "until", "period", "model", "tag", "target", "strategy")
        }
    if kind is None and previous is not None and follows:
        kind = previous.kind if by is None else "spend"
    if period is not None:
        scope.update(since=period.since, until=period.until, period=period.label)
    if tag is not None:
        scope["tag"] = tag
    if strategy is not None and kind in (None, "savings"):
        kind, scope["strategy"] = "savings", strategy
    if kind is None:
        kind = "spend" if says_scope else "unclear"
    if kind == "move":
        return _move(asked, mentions, scope, previous)
    scope.pop("target", None)
    if mentions and not known:
        return Plan(kind="unclear", problem=_unknown_model(mentions[0].name, vocabulary))
    if known:
        scope["model"] = known[0]
    if by is None and follows and previous is not None and kind == "spend":
        by = previous.by
    return Plan(kind=kind, by=by or ("tag" if scope.get("model") is not None else "model"), **scope)


def _kind(text: str, mentions: list[Mention]) -> Kind | None:
    if _HELP.search(text):
        return "help"
    if mentions and _MOVE.search(text):
        return "move"
    if _CHANGE.search(text):
        return "change"
    if _SAVINGS.search(text):
        return "savings"
    return "spend" if _SPEND.search(text) else None


def _move(text: str, mentions: list[Mention], scope: dict[str, Any], previous: Plan | None) -> Plan:
    names = [mention.name for mention in mentions]
    elsewhere = _TARGET.search(text)
    if len(names) == 1 and mentions[0].known and elsewhere is not None and mentions[0].position < elsewhere.start():
        # A name that is like no model's may still be one: the price list decides.
        names.append(elsewhere[1].rstrip(".:-"))
    if len(names) == 1:
        names.insert(0, previous.model if previous is not None and previous.model is not None else "")
    elif "instead of" in text:
        names.reverse()
    source, target = names[:2]
    if not source or source == target:
        problem = f"Say which model should be moved to {target}, for example: What if I moved gpt-4o to {target}?"
        return Plan(kind="unclear", problem=problem)
    scope.update(model=source, target=target)
    scope.pop("strategy", None)
    return Plan(kind="move", **scope)


def _unknown_model(name: str, vocabulary: Vocabulary) -> str:
    models = ", ".join(vocabulary.models[:20]) or "none"
    return f"There are no records of the model {name}. Your records are of: {models}."


def _without(text: str, tag: str) -> str:
    words = r"[\s_-]*".join(re.escape(part) for part in re.split(r"[\s_-]+", tag.lower()) if part)
    return re.sub(words, " … ", text)
