"""What requests may hold: text that every later part can store, log and show."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

__all__ = ["RequestBody", "StorableText", "Title"]

MAX_TITLE: Final = 200


def _storable(value: str) -> str:
    if "\0" in value:
        raise ValueError("contains a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair") from None
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("contains a control character")
    return value


StorableText = Annotated[str, AfterValidator(_storable)]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE), AfterValidator(_printable)
]


class RequestBody(BaseModel):
    """A JSON body: a field that is not declared is refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)
