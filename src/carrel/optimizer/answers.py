"""From findings to the answer in Markdown; no figure is computed here that is not a plain sum or share of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from carrel.optimizer.agents.figures import Findings
from carrel.optimizer.markdown import chart, days_text, escape, money, percent, table, tag_name, whole
from carrel.optimizer.questions.plan import Plan

__all__ = ["write_answer"]

MOST_ROWS: Final = 20
MOST_BARS: Final = 12

_HEADS: Final = MappingProxyType({"model": "Model", "day": "Day", "tag": "Tag", "token_kind": "Kind of token"})
_STRATEGIES: Final = MappingProxyType(
    {
        "caps": "output caps",
        "switch": "models of the same class",
        "batch": "batch processing",
        "caching": "prompt caching",
    }
)


def write_answer(found: Findings) -> str:
    """The whole answer. A problem is the answer when nothing could be found out."""
    if found.problem:
        return found.problem + "\n"
    sections = _WRITERS[found.plan.kind](found)
    return "\n\n".join(section.strip("\n") for section in sections if section) + "\n"


def _savings(found: Findings) -> list[str]:
    savings, plan = found.savings, found.plan
    actions: Sequence[Mapping[str, Any]] = savings["actions"]
    what = "" if plan.strategy == "all" else f" with {_STRATEGIES[plan.strategy]}"
    spent = f"**{money(savings['spent_usd'])}** {_where(plan, savings)}"
    if not actions:
        return [
            "## Where you can save",
            f"You spent {spent}, and I found nothing worth changing{what}.",
            _looked_for(plan),
            _by_model(found),
            _left_out(savings),
        ]
    return [
        "## Where you can save",
        (
            f"You spent {spent}, which is {money(savings['spent_month_usd'])} for 30 days. You could save "
            f"**{money(savings['saved_month_usd'])} a month**{what}, {percent(savings['saved_share'])} of it:"
        ),
        _actions_table(savings),
        chart(
            "bar",
            "Savings per month",
            "USD",
            [_action_label(action) for action in actions[:MOST_BARS]],
            [("saved per month", [round(action["saved_month_usd"], 2) for action in actions[:MOST_BARS]])],
        ),
        "The amounts add up: each is what the change saves after the ones above it, so nothing is counted twice.",
        "### What to do, and what must hold",
        "\n".join(_advice(number, action) for number, action in enumerate(actions, 1)),
        _by_model(found),
        _basis(savings),
        _left_out(savings),
    ]


def _actions_table(savings: Mapping[str, Any]) -> str:
    rows = [
        [
            str(number),
            escape(action["title"]),
            _use(action),
            money(action["saved_month_usd"]),
            money(action["alone_usd"] * _month_factor(savings)),
        ]
        for number, action in enumerate(savings["actions"], 1)
    ]
    rows.append(["", "**Together**", "", f"**{money(savings['saved_month_usd'])}**", ""])
    return table(["", "Change", "For", "Saves per month", "If only this"], rows, numbers_from=3)


def _advice(number: int, action: Mapping[str, Any]) -> str:
    return (
        f"{number}. **{escape(action['title'])}** ({_use(action)}). {escape(action['because'])} "
        f"*Assumed:* {escape(action['assumption'])}"
    )


def _use(action: Mapping[str, Any]) -> str:
    if action["tag"] is None:
        return escape(action["model"])
    return f"{tag_name(action['tag'])}, {escape(action['model'])}"


def _action_label(action: Mapping[str, Any]) -> str:
    return f"{_STRATEGIES[action['strategy']]}: {action['tag'] or action['model']}"


def _looked_for(plan: Plan) -> str:
    if plan.strategy != "all":
        return ""
    return (
        "I looked for a cheaper model of the same class, long prompts with a shared beginning that is hardly cached, "
        "work that nobody waits for, and a few answers that are far longer than the rest."
    )


def _by_model(found: Findings) -> str:
    rows = found.breakdown.get("rows", [])
    if not rows:
        return ""
    return f"### Where the money goes\n\n{_rows_table('model', rows)}"


def _basis(savings: Mapping[str, Any]) -> str:
    days = savings["days"]
    caution = f" With only {days} day{'s' if days != 1 else ''} of records that is a rough guess." if days < 7 else ""
    return (
        f"A month is 30 days at the pace of these {days} day{'s' if days != 1 else ''}.{caution} Prices are the "
        "providers' list prices at the time of each record (genai-prices), or what your records say they cost."
    )


def _spend(found: Findings) -> list[str]:
    plan, total, rows = found.plan, found.breakdown["total"], found.breakdown["rows"]
    by = plan.by
    sections = [
        "## What you spent",
        (
            f"**{money(total['cost_usd'])}** {_where(plan, found.overview)}: {whole(total['requests'])} requests, "
            f"{whole(total['input_tokens'])} input tokens ({whole(total['cached_input_tokens'])} of them cached) and "
            f"{whole(total['output_tokens'])} output tokens."
        ),
    ]
    if by != "token_kind" and rows and len(rows) > 1:
        top = max(rows, key=lambda row: (row["cost_usd"], row["key"]))
        name = _key(by, top["key"])
        sections.append(f"Most of it: **{name}** with {money(top['cost_usd'])}, {percent(top['share'])}.")
    sections.append(_rows_table(by, rows))
    if by == "day":
        sections.append(_day_chart(rows))
    else:
        bars = rows[:MOST_BARS] if len(rows) > 1 else []
        sections.append(
            chart(
                "bar",
                f"Cost by {_HEADS[by].lower()}",
                "USD",
                [str(row["key"]) or "(no tag)" for row in bars],
                [("cost", [round(row["cost_usd"], 4) for row in bars])],
            )
        )
        if found.days:
            sections.append(_day_chart(found.days["rows"]))
    sections.append(_left_out(found.breakdown))
    return sections


def _change(found: Findings) -> list[str]:
    change = found.change
    total = change["total"]
    rose = total["change_usd"] >= 0
    before, after = change["before"], change["after"]
    rows = [
        [
            escape(row["model"]),
            tag_name(row["tag"]),
            money(row["before_usd"]),
            money(row["after_usd"]),
            money(row["change_usd"]),
            f"{whole(row['before_requests'])} → {whole(row['after_requests'])}",
        ]
        for row in change["groups"][:MOST_ROWS]
    ]
    share = f" ({percent(abs(total['change_usd']) / total['before_usd'])})" if total["before_usd"] else ""
    lead = (
        f"Compared with {days_text(before['since'], before['until'])}, your cost of "
        f"{days_text(after['since'], after['until'])} {'rose' if rose else 'fell'} from {money(total['before_usd'])} "
        f"to {money(total['after_usd'])}: "
        f"**{money(abs(total['change_usd']))} {'more' if rose else 'less'}**{share}."
    )
    top = change["groups"][0]
    return [
        "## What changed",
        lead,
        (
            f"- {money(total['volume_usd'])} because of the number of requests "
            f"({whole(total['before_requests'])} before, {whole(total['after_requests'])} after)\n"
            f"- {money(total['mix_usd'])} because a request cost {'more' if total['mix_usd'] >= 0 else 'less'}: "
            "other models, longer prompts or longer answers"
        ),
        f"The largest part: **{tag_name(top['tag'])} on {escape(top['model'])}**, {money(top['change_usd'])}.",
        table(["Model", "Tag", "Before", "After", "Change", "Requests"], rows, numbers_from=2),
        _day_chart(found.days.get("rows", [])),
        _left_out(change),
    ]


def _move(found: Findings) -> list[str]:
    move, plan = found.move, found.plan
    source, target = escape(move["from_model"]), escape(move["to_model"])
    saved = move["saved_usd"]
    verdict = (
        f"would have cost **{money(move['after_usd'])}** instead of {money(move['before_usd'])}: "
        f"**{money(abs(saved))} {'less' if saved >= 0 else 'more'}** ({percent(abs(move['saved_share']))}), "
        f"{money(abs(move['saved_month_usd']))} a month."
    )
    window = move["context_window"]
    limit = f" {target} takes {whole(window)} input tokens." if window else ""
    fits = f"Your longest input has {whole(move['longest_input'])} tokens.{limit}" + (
        "" if move["fits"] else " **That is too long for it:** shorten those inputs, or leave them where they are."
    )
    return [
        f"## {source} → {target}",
        f"The {whole(move['records_compared'])} records of {source} {_where(plan, move, model=False)} {verdict}",
        chart(
            "bar",
            "Cost of the same tokens",
            "USD",
            [move["from_model"], move["to_model"]],
            [("cost", [round(move["before_usd"], 2), round(move["after_usd"], 2)])],
        ),
        fits,
        f"*Assumed:* {target} uses as many tokens for the same work and answers well enough; try it on a sample first.",
    ]


def _rows_table(by: str, rows: Sequence[Mapping[str, Any]]) -> str:
    if by == "token_kind":
        cells = [[row["key"], whole(row["tokens"]), money(row["cost_usd"]), percent(row["share"])] for row in rows]
        return table([_HEADS[by], "Tokens", "Cost", "Share"], cells)
    shown = rows if by == "day" else rows[:MOST_ROWS]
    cells = [
        [
            _key(by, row["key"]),
            whole(row["requests"]),
            whole(row["input_tokens"]),
            whole(row["cached_input_tokens"]),
            whole(row["output_tokens"]),
            money(row["cost_usd"]) if row["priced_records"] else "unknown",
            percent(row["share"]),
        ]
        for row in shown
    ]
    text = table([_HEADS[by], "Requests", "Input", "Cached", "Output", "Cost", "Share"], cells)
    return text + (f"\n{whole(len(rows) - len(shown))} more are not shown.\n" if len(rows) > len(shown) else "")


def _day_chart(rows: Sequence[Mapping[str, Any]]) -> str:
    if len(rows) < 2:
        return ""
    return chart(
        "line",
        "Cost per day",
        "USD",
        [row["key"] for row in rows],
        [("cost", [round(row["cost_usd"], 4) for row in rows])],
    )


def _key(by: str, key: str) -> str:
    return tag_name(key) if by == "tag" else escape(key)


def _where(plan: Plan, figures: Mapping[str, Any], *, model: bool = True) -> str:
    parts = []
    if model and plan.model is not None:
        parts.append(f"on {escape(plan.model)}")
    if plan.tag is not None:
        parts.append(f"for {tag_name(plan.tag)}" if plan.tag else "without a tag")
    first, last = figures["first_day"], figures["last_day"]
    parts.append(f"on {days_text(first, last)}" if first == last else f"from {days_text(first, last)}")
    label = f" ({plan.period})" if "records" in plan.period else ""
    return " ".join(parts) + label


def _left_out(figures: Mapping[str, Any]) -> str:
    rows = figures.get("unpriced", [])
    if not rows:
        return ""
    names = ", ".join(f"{escape(row['model'])} ({whole(row['records'])} records)" for row in rows[:MOST_ROWS])
    return (
        f"**Not in these amounts:** {names}. No list price is known and the records name no cost; add a `cost_usd` "
        "column to count them."
    )


def _month_factor(savings: Mapping[str, Any]) -> float:
    return 30 / savings["days"] if savings["days"] else 0.0


_WRITERS: Final[Mapping[str, Callable[[Findings], list[str]]]] = MappingProxyType(
    {"savings": _savings, "spend": _spend, "change": _change, "move": _move}
)
