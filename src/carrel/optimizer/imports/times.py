"""Points in time as usage files write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from carrel.optimizer.imports.refusal import RowRefusedError

__all__ = ["parse_time"]

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)?"
    r"\s*(?:(Z|UTC)|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\d{1,20}(?:\.\d{1,12})?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EARLIEST: Final = datetime(2010, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_UNITS: Final = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))


def parse_time(value: Any) -> int:
    """Microseconds since 1970 UTC.

    Takes RFC 3339 and ISO 8601 dates and times (no zone means UTC; digits beyond microseconds are dropped), and
    seconds, milliseconds or microseconds since 1970, told apart by their size. Raises `RowRefusedError`.
    """
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    if not text:
        raise RowRefusedError("time", "is empty")
    found = _iso(text) if _ISO.fullmatch(text) else _epoch(text)
    if found is None:
        raise RowRefusedError("time", f"{_short(text)} is not a time; write it like 2026-10-31T13:45:00Z")
    if not _EARLIEST <= found < _LATEST:
        raise RowRefusedError("time", f"{_short(text)} is not between 2010 and 2100")
    return (found - _EPOCH) // _MICROSECOND


def _iso(text: str) -> datetime | None:
    match = _ISO.fullmatch(text)
    assert match is not None
    year, month, day, hour, minute, second, fraction, _, sign, zone_hours, zone_minutes = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "")[:6].ljust(6, "0")),
            tzinfo=UTC,
        )
        if sign:
            offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes or 0))
            moment = moment - offset if sign == "+" else moment + offset
    except (ValueError, OverflowError):
        return None
    return moment


def _epoch(text: str) -> datetime | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    for limit, factor in _UNITS:
        if number < limit:
            return _EPOCH + timedelta(microseconds=int(number * factor))
    return None


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
