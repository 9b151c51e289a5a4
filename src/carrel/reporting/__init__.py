"""A report as text, JSON, SARIF, JUnit XML, Markdown or HTML: one file per format."""

from carrel.reporting.formats import FORMATS, Format, format_named
from carrel.reporting.html import HtmlFormat
from carrel.reporting.json import JsonFormat
from carrel.reporting.junit import JunitFormat
from carrel.reporting.markdown import MarkdownFormat
from carrel.reporting.sarif import SarifFormat
from carrel.reporting.text import TextFormat

__all__ = [
    "FORMATS",
    "Format",
    "HtmlFormat",
    "JsonFormat",
    "JunitFormat",
    "MarkdownFormat",
    "SarifFormat",
    "TextFormat",
    "format_named",
]
