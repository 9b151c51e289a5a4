"""Every format that a report can be had in."""

from __future__ import annotations

from typing import Final, Protocol

from carrel.findings import Report
from carrel.reporting.html import HtmlFormat
from carrel.reporting.json import JsonFormat
from carrel.reporting.junit import JunitFormat
from carrel.reporting.markdown import MarkdownFormat
from carrel.reporting.sarif import SarifFormat
from carrel.reporting.text import TextFormat

__all__ = ["FORMATS", "Format", "format_named"]


class Format(Protocol):
    """Turns a report into a text. The same report always gives the same text."""

    @property
    def name(self) -> str:
        """What `--format` calls it."""

    def render(self, report: Report) -> str:
        """The whole report, ending with a line end; it can be encoded as UTF-8 whatever the report holds."""


FORMATS: Final[tuple[Format, ...]] = (
    TextFormat(),
    JsonFormat(),
    SarifFormat(),
    JunitFormat(),
    MarkdownFormat(),
    HtmlFormat(),
)
"""In the order in which help lists them."""


def format_named(name: str) -> Format:
    """The format of that name. Raises `ValueError`, naming those there are, when there is none."""
    for one in FORMATS:
        if one.name == name:
            return one
    raise ValueError(f"no format named {name!r}; there are: {', '.join(one.name for one in FORMATS)}")
