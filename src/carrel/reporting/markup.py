"""HTML and SVG from nested calls: what is not markup already is escaped, so that no text can become markup."""

from __future__ import annotations

from html import escape
from typing import Final

from carrel.reporting.prose import visible

__all__ = ["Markup", "element", "joined"]

VOID: Final = frozenset({"br", "input", "link", "meta"})

Attribute = str | float | bool


class Markup(str):
    """A string that is markup. Only `element` and `joined` make it, and `HtmlFormat` from its own files."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: Attribute) -> Markup:
    """`element("a", "text", href="#x", class_="y", data_z="1")`: `True` gives a bare attribute, `False` none.

    Numbers are written with at most one digit after the point.
    """
    written = "".join(_attribute(name, value) for name, value in attributes.items() if value is not False)
    return Markup(f"<{tag}{written}>" if tag in VOID else f"<{tag}{written}>{joined(*children)}</{tag}>")


def joined(*children: str) -> Markup:
    """The children side by side, those that are text escaped."""
    return Markup("".join(child if isinstance(child, Markup) else _escaped(child) for child in children))


def _attribute(name: str, value: Attribute) -> str:
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    if isinstance(value, float):
        value = f"{value:.1f}".removesuffix(".0")
    return f' {name}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    return escape(visible(text, keep="\n\t"))
