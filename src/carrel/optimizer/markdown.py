"""Answers in Markdown: tables, amounts and charts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

__all__ = ["chart", "days_text", "escape", "money", "percent", "table", "tag_name", "whole"]


def money(amount: float) -> str:
    """Dollars with cents; with as many digits as it takes to see something for less than a dollar."""
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    if size >= 1 or size == 0:
        return f"{sign}${size:,.2f}"
    return f"{sign}${size:.4f}" if size >= 0.01 else f"{sign}${size:.6f}"


def percent(share: float) -> str:
    """A share as per cent: whole ones, or one digit below ten."""
    return f"{share:.0%}" if abs(share) >= 0.1 or share == 0 else f"{share:.1%}"


def whole(number: int) -> str:
    """A whole number with separators."""
    return f"{number:,}"


def tag_name(tag: str) -> str:
    """A tag as people read it."""
    return escape(tag) if tag else "(no tag)"


def escape(text: str) -> str:
    """Text from a file, so that nothing in it is taken for Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|~&" else letter for letter in text)


def days_text(first: str | None, last: str | None) -> str:
    """A span of days, both included: `2 to 31 October 2026`."""
    if first is None or last is None:
        return "no days"
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    if start == end:
        return f"{end.day} {end:%B %Y}"
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} to {end.day} {end:%B %Y}"
    if start.year == end.year:
        return f"{start.day} {start:%B} to {end.day} {end:%B %Y}"
    return f"{start.day} {start:%B %Y} to {end.day} {end:%B %Y}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int = 1) -> str:
    """A table; columns from `numbers_from` on are aligned to the right. Cells are Markdown already."""
    rule = ["---" if column < numbers_from else "---:" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows)) + "\n"


def chart(
    kind: str, title: str, unit: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]
) -> str:
    """A `carrel-chart` block, which the page draws; empty when there is nothing to draw."""
    if not labels:
        return ""
    body: dict[str, Any] = {
        "type": kind,
        "title": title,
        "unit": unit,
        "labels": list(labels),
        "series": [{"name": name, "values": list(values)} for name, values in series],
    }
    # A fence inside a label would end the block.
    text = json.dumps(body, ensure_ascii=False).replace("`", "'")
    return f"```carrel-chart\n{text}\n```\n"
