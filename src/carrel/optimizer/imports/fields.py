"""The fields of a usage record, read from what a row says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from carrel.optimizer.imports.refusal import RowRefusedError
from carrel.optimizer.imports.times import parse_time
from carrel.storage.usage import UsageRecord

__all__ = ["FIELDS", "REQUIRED_FIELDS", "make_record"]

REQUIRED_FIELDS: Final = ("time", "model", "input_tokens", "output_tokens")
FIELDS: Final = (
    *REQUIRED_FIELDS,
    *("provider", "cached_input_tokens", "latency_ms", "cost_usd", "tag", "requests", "batch"),
)

MOST_TOKENS: Final = 10**12
MOST_REQUESTS: Final = 10**9
HIGHEST_COST: Final = 10**9
LONGEST_NAME: Final = 200

_NUMBER: Final = re.compile(r"[+-]?\d{1,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_NANO: Final = Decimal("1e-9")
_TRUE: Final = frozenset({"true", "1", "yes", "t"})
_FALSE: Final = frozenset({"", "false", "0", "no", "f"})


def make_record(fields: Mapping[str, Any], provider_of: Callable[[str], str]) -> UsageRecord:
    """The record that a row's fields describe. Raises `RowRefusedError` naming the first field that is wrong.

    `provider_of` is asked for the provider of a model where the row names none. Cells may be text or JSON values;
    an optional field that is missing, null or blank has its default.
    """
    model = _name(fields, "model")
    if not model:
        raise RowRefusedError("model", "is empty; every record names the model that was used")
    time = parse_time(fields.get("time"))
    input_tokens = _whole(fields, "input_tokens", MOST_TOKENS)
    output_tokens = _whole(fields, "output_tokens", MOST_TOKENS)
    cached = _whole(fields, "cached_input_tokens", MOST_TOKENS, default=0)
    if cached > input_tokens:
        raise RowRefusedError("cached_input_tokens", f"is {cached}, more than the {input_tokens} input tokens")
    requests = _whole(fields, "requests", MOST_REQUESTS, default=1)
    if requests == 0:
        raise RowRefusedError("requests", "is 0, although the row has tokens; leave it out or say how many")
    latency = _decimal(fields, "latency_ms", Decimal(10**10))
    cost = _decimal(fields, "cost_usd", Decimal(HIGHEST_COST))
    return UsageRecord(
        time=time,
        provider=_name(fields, "provider") or provider_of(model),
        model=model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=cached,
        tag=_name(fields, "tag"),
        requests=requests,
        batch=_flag(fields, "batch"),
        latency_ms=float(latency) if latency is not None else None,
        cost=int((cost / _NANO).to_integral_value(ROUND_HALF_EVEN)) if cost is not None else None,
    )


def _name(fields: Mapping[str, Any], field: str) -> str:
    value = fields.get(field)
    if value is None:
        return ""
    if not isinstance(value, (str, int, float)):
        raise RowRefusedError(field, "is not a text")
    text = str(value).strip()
    if len(text) > LONGEST_NAME:
        raise RowRefusedError(field, f"is longer than {LONGEST_NAME} characters")
    if not text.isprintable():
        raise RowRefusedError(field, "contains a control character")
    return text


def _whole(fields: Mapping[str, Any], field: str, most: int, *, default: int | None = None) -> int:
    value = fields.get(field)
    # Nearly every cell is plain digits; the general way is ten times as slow.
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 12:
        number = int(value)
    else:
        found = _decimal(fields, field, Decimal(most))
        if found is None:
            if default is None:
                raise RowRefusedError(field, "is empty")
            return default
        number = int(found)
        if number != found:
            raise RowRefusedError(field, f"is {value}, not a whole number")
    if number > most:
        raise RowRefusedError(field, f"is more than {most:,}")
    return number


def _decimal(fields: Mapping[str, Any], field: str, most: Decimal) -> Decimal | None:
    value = fields.get(field)
    if value is None or isinstance(value, bool):
        if value is None:
            return None
        raise RowRefusedError(field, "is not a number")
    text = str(value).strip() if isinstance(value, (str, int, float)) else "?"
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        shown = text if len(text) <= 40 else text[:39] + "…"
        hint = "; write 1234.5 without separators" if "," in text else ""
        raise RowRefusedError(field, f"{shown!r} is not a number{hint}")
    number = Decimal(text)
    if number < 0:
        raise RowRefusedError(field, f"is {text}; it cannot be negative")
    if number > most:
        raise RowRefusedError(field, f"is more than {most:,}")
    return number


def _flag(fields: Mapping[str, Any], field: str) -> bool:
    value = fields.get(field)
    text = str(value).strip().lower() if value is not None else ""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise RowRefusedError(field, f"{text[:40]!r} is neither true nor false")
