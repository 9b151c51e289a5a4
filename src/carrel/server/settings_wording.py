"""What a setting accepts, and what it is when nobody says, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from carrel.server.settings import Settings

__all__ = ["accepted", "default_in_words"]


def accepted(name: str) -> str:
    """What the setting accepts, in words."""
    field = Settings.model_fields[name]
    return _accepted_type(field.annotation, field.metadata)


def _accepted_type(annotation: Any, metadata: list[Any]) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(str(value) for value in get_args(annotation))
    inner = [kind for kind in get_args(annotation) if kind is not type(None)]
    if len(inner) == 1 and get_origin(annotation) is not tuple:
        return _accepted_type(inner[0], metadata)
    bounds = [f"{word} {getattr(item, sign)}" for item in metadata for sign, word in _BOUNDS if hasattr(item, sign)]
    noun = next((words for kind, words in _NOUNS if annotation is kind or get_origin(annotation) is kind), "text")
    return " ".join([noun, " and ".join(bounds)]).strip()


_BOUNDS: Final = (("gt", "more than"), ("ge", "at least"), ("lt", "less than"), ("le", "at most"))
_NOUNS: Final = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (Path, "a path"),
    (tuple, "a list, separated by commas"),
    (SecretStr, "text of at least 32 characters"),
)


def default_in_words(name: str) -> str:
    """The default of a setting as documentation shows it."""
    field = Settings.model_fields[name]
    if field.default is PydanticUndefined:
        return "`$XDG_DATA_HOME/carrel` or `~/.local/share/carrel`"
    if field.default is None or field.default == ():
        return "none"
    if isinstance(field.default, tuple):
        return f"`{','.join(field.default)}`"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`"
