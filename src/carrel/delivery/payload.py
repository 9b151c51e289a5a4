"""What an event carries, made fit for the log: plain JSON, a copy of its own, and of limited size."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

import msgspec

__all__ = ["MAX_DATA_BYTES", "event_data"]

MAX_DATA_BYTES: Final = 256 * 1024
"""The most that one event's `data` takes as JSON."""

DEEPEST: Final = 32
TOO_DEEP: Final = "… [cut: nested too deep]"


def event_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy of `data` in plain JSON values, at most `MAX_DATA_BYTES` when encoded; never fails.

    What JSON has no form for becomes `str(value)`; text that is not Unicode gets replacement characters. When it is too
    large, its longest strings and lists are cut, and each cut says so: `… [cut: 1200000 characters]`.
    """
    try:
        encoded = msgspec.json.encode(data, enc_hook=_text)
        plain = msgspec.json.decode(encoded)
    except Exception:  # noqa: BLE001 - data is whatever tools and agents return; it must not break their run
        encoded = msgspec.json.encode({key: _plain(value, 1) for key, value in data.items()})
        plain = msgspec.json.decode(encoded)
    longest = MAX_DATA_BYTES // 2
    fitting: dict[str, Any] = plain
    while len(encoded) > MAX_DATA_BYTES:
        fitting = {key: _cut(value, longest, 1) for key, value in plain.items()}
        encoded = msgspec.json.encode(fitting)
        longest //= 2
    return fitting


def _text(value: object) -> str:
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - a __str__ that raises is no reason to lose the event
        text = f"<{type(value).__name__}>"
    return text.encode("utf-8", "replace").decode()


def _plain(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        return TOO_DEEP
    if isinstance(value, int) and value.bit_length() > 64:
        return _text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {_text(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    return _text(value)


def _cut(value: Any, longest: int, depth: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[:longest]}… [cut: {len(value) - longest} characters]"
    if not isinstance(value, list | dict):
        return value
    if depth > DEEPEST:
        return TOO_DEEP
    # Lists are cut to a 16th, so that long text keeps more room than many small things.
    most = max(1, longest // 16)
    over = len(value) - most
    if isinstance(value, list):
        items = [_cut(item, longest, depth + 1) for item in value[:most]]
        return [*items, f"… [cut: {over} items]"] if over > 0 else items
    fields = {_cut(key, longest, depth): _cut(value[key], longest, depth + 1) for key in islice(value, most)}
    return {**fields, "…": f"[cut: {over} fields]"} if over > 0 else fields
