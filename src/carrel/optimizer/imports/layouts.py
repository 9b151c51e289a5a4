"""The kinds of usage file that are known: which columns each has, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from carrel.optimizer.imports.fields import REQUIRED_FIELDS
from carrel.optimizer.imports.refusal import RowRefusedError
from carrel.optimizer.imports.times import parse_time

__all__ = ["LAYOUTS", "Layout", "find_layout"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file."""

    name: str
    signature: frozenset[str]
    """A file with all these columns is of this kind."""
    fields: Callable[[Row], Row | None]
    """From a row to the fields of a usage record; None when the row says that nothing was used."""


def find_layout(columns: Sequence[str]) -> Layout | None:
    """The first layout whose signature the columns have, or None."""
    present = frozenset(columns)
    return next((layout for layout in LAYOUTS if layout.signature <= present), None)


def _own(row: Row) -> Row:
    return row


def _openai(row: Row) -> Row | None:
    """A row of OpenAI's usage export, or a result of its usage interface with its bucket's `start_time`.

    Source: https://platform.openai.com/docs/api-reference/usage/completions_object. `input_tokens` includes
    `input_cached_tokens`; numbers may be written as `59200.0`; a bucket in which nothing was used is a row with times
    only. One row stands for `num_model_requests` requests.
    """
    if not _given(row, "num_model_requests") and not _given(row, "input_tokens"):
        return None
    if not _given(row, "model"):
        raise RowRefusedError("model", "is empty; export the usage again, grouped by model")
    return {
        "time": row.get("start_time"),
        "provider": "openai",
        "model": row["model"],
        "input_tokens": row.get("input_tokens"),
        "cached_input_tokens": row.get("input_cached_tokens"),
        "output_tokens": row.get("output_tokens"),
        "requests": row.get("num_model_requests"),
        "batch": row.get("batch"),
        "tag": row.get("project_name") or row.get("project_id"),
    }


def _litellm(row: Row) -> Row:
    """A row of LiteLLM's table `LiteLLM_SpendLogs`, as CSV or JSON.

    Source: https://github.com/BerriAI/litellm/blob/main/schema.prisma. `prompt_tokens` includes cached ones, of which
    `metadata.additional_usage_values` tells the number in the provider's own words; `spend` is USD.
    """
    usage = _json(row.get("metadata")).get("additional_usage_values")
    values: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {}
    details = values.get("prompt_tokens_details")
    cached = values.get("cache_read_input_tokens")
    if not cached and isinstance(details, Mapping):
        cached = details.get("cached_tokens")
    return {
        "time": row.get("startTime"),
        "provider": row.get("custom_llm_provider"),
        "model": row.get("model"),
        "input_tokens": row.get("prompt_tokens"),
        "cached_input_tokens": cached,
        "output_tokens": row.get("completion_tokens"),
        "cost_usd": row.get("spend"),
        "latency_ms": _duration(row),
        "tag": _first_tag(row.get("request_tags")),
    }


LAYOUTS: Final = (
    Layout("openai", frozenset({"start_time", "input_tokens", "output_tokens", "num_model_requests"}), _openai),
    Layout("litellm", frozenset({"startTime", "model", "prompt_tokens", "completion_tokens"}), _litellm),
    Layout("carrel", frozenset(REQUIRED_FIELDS), _own),
)


def _given(row: Row, column: str) -> bool:
    value = row.get(column)
    return value is not None and value != ""


def _json(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        with suppress(msgspec.DecodeError, RecursionError):
            value = msgspec.json.decode(value)
    return value if isinstance(value, Mapping) else {}


def _duration(row: Row) -> Any:
    if _given(row, "request_duration_ms"):
        return row["request_duration_ms"]
    if _given(row, "endTime"):
        with suppress(RowRefusedError):
            taken = parse_time(row["endTime"]) - parse_time(row.get("startTime"))
            return taken / 1000 if taken >= 0 else None
    return None


def _first_tag(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value) if value.strip() else []
        except (msgspec.DecodeError, RecursionError):
            return str(value)
    return str(value[0]) if isinstance(value, (list, tuple)) and value else ""
