"""How carrel names itself in a report."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from carrel.findings import Report

__all__ = ["product_version", "title"]


def product_version() -> str:
    """The version of the installed distribution; `0` when it runs from files that were never installed."""
    try:
        return version("carrel")
    except PackageNotFoundError:
        return "0"


def title(report: Report) -> str:
    """What made the report, as the command line names it: `carrel audit`."""
    command = "migrate scan" if report.tool == "migrate" else report.tool
    return f"carrel {command}"
