"""The days that a question is about."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["Period", "find_period"]

_MONTHS: Final = tuple(name.lower() for name in calendar.month_name)
_MONTH: Final = (
    r"(january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\.?"
)
_DATE: Final = re.compile(
    rf"(?P<iso>\d{{4}}-\d\d-\d\d)"
    rf"|(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH.replace('(', '(?P<m1>', 1)}(?:\s+(?P<y1>\d{{4}}))?"
    rf"|{_MONTH.replace('(', '(?P<m2>', 1)}\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?P<y2>\d{{4}}))?"
)
_WHOLE_MONTH: Final = re.compile(
    rf"\b(?:in|during|of|for|since|this|last)\s+{_MONTH}(?:\s+(\d{{4}}))?\b|\b(\d{{4}})-(\d\d)\b(?!-)"
)
_NUMBERS: Final = (
    "",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_LAST: Final = re.compile(
    rf"\b(?:last|past|previous|recent)\s+(?:(\d{{1,4}}|{'|'.join(_NUMBERS[1:])})\s+)?(day|week|fortnight|month|quarter|year)s?\b"
)
_LENGTHS: Final = MappingProxyType({"day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 91, "year": 365})


class Period(NamedTuple):
    """Days, both included; None means without a limit."""

    since: date | None
    until: date | None
    label: str = ""
    """How to say where the days come from, when that is not plain from the question."""


def find_period(text: str, *, last_day: date | None, today: date) -> Period | None:
    """The days that a question in English speaks of; None when it speaks of none.

    `last week` and the like end on `last_day`, the newest day of the records, because a file that was exported some
    time ago is what people ask about; `today` and `yesterday` are of the calendar.
    """
    text = text.lower()
    newest = last_day or today
    if found := _dates(text, newest):
        return found
    if re.search(r"\byesterday\b", text):
        return Period(today - timedelta(days=1), today - timedelta(days=1))
    if re.search(r"\btoday\b", text):
        return Period(today, today)
    if match := _LAST.search(text):
        count = _number(match[1])
        days = count * _LENGTHS[match[2]]
        unit = f"{days} days" if days > 1 else "day"
        return Period(newest - timedelta(days=days - 1), newest, f"the last {unit} of your records")
    if re.search(r"\bthis week\b", text):
        return Period(newest - timedelta(days=6), newest, "the last 7 days of your records")
    if re.search(r"\bthis month\b", text):
        return _month(newest.year, newest.month)
    if match := _WHOLE_MONTH.search(text):
        return _named_month(match, newest)
    return None


def _dates(text: str, newest: date) -> Period | None:
    found = [(match.start(), day) for match in _DATE.finditer(text) if (day := _date(match, newest)) is not None]
    if len(found) >= 2:
        (_, first), (_, second) = found[:2]
        return Period(min(first, second), max(first, second))
    if not found:
        return None
    position, day = found[0]
    before = text[:position].split()[-1:] or [""]
    if before[0] in {"since", "from", "after"}:
        return Period(day + timedelta(days=1) if before[0] == "after" else day, None)
    if before[0] in {"until", "till", "before", "to"}:
        return Period(None, day - timedelta(days=1) if before[0] == "before" else day)
    return Period(day, day)


def _date(match: re.Match[str], newest: date) -> date | None:
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        month = _month_number(match["m1"] or match["m2"])
        day = int(match["d1"] or match["d2"])
        year = match["y1"] or match["y2"]
        found = date(int(year) if year else newest.year, month, day)
    except ValueError:
        return None
    if not year and found > newest:
        return found.replace(year=found.year - 1) if (month, day) != (2, 29) else None
    return found


def _named_month(match: re.Match[str], newest: date) -> Period | None:
    name, year, iso_year, iso_month = match.groups()
    if iso_year:
        return _month(int(iso_year), int(iso_month)) if 1 <= int(iso_month) <= 12 else None
    month = _month_number(name)
    if year:
        return _month(int(year), month)
    return _month(newest.year if month <= newest.month else newest.year - 1, month)


def _month(year: int, month: int) -> Period | None:
    if not 2000 <= year <= 2100:
        return None
    last = calendar.monthrange(year, month)[1]
    return Period(date(year, month, 1), date(year, month, last), f"{calendar.month_name[month]} {year}")


def _month_number(name: str) -> int:
    return next(number for number, full in enumerate(_MONTHS) if number and full.startswith(name[:3]))


def _number(text: str | None) -> int:
    if text is None:
        return 1
    return max(1, int(text) if text.isdigit() else _NUMBERS.index(text))
