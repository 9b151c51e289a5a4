"""Reads the tests and their outcomes from a JUnit XML report."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from carrel.migrate.gates.measurement import FAILED, PASSED, SKIPPED, TestOutcome

__all__ = ["read_report"]

_WORST_FIRST: Final[tuple[TestOutcome, ...]] = (FAILED, SKIPPED, PASSED)


def read_report(path: Path) -> dict[str, TestOutcome] | None:
    """Each test id with its outcome; `None` when there is no report, or not a whole one.

    Ids are written as pytest takes them, `tests/test_a.py::TestB::test_c[d]`, where the report names files
    (`junit_family=xunit1`); otherwise `tests.test_a.TestB::test_c[d]`. A test that is reported twice, as one whose
    clean-up fails is, has its worst outcome.
    """
    found: dict[str, TestOutcome] = {}
    try:
        # The report is the work of the user's own command: it is trusted as much as that is.
        for _, element in ET.iterparse(path):  # noqa: S314
            if element.tag == "testcase":
                name, outcome = _test_id(element), _outcome(element)
                found[name] = min(found.get(name, outcome), outcome, key=_WORST_FIRST.index)
                element.clear()
    except (OSError, ET.ParseError):
        return None
    return found


def _outcome(element: ET.Element) -> TestOutcome:
    tags = {child.tag for child in element}
    if tags & {"failure", "error"}:
        return FAILED
    return SKIPPED if "skipped" in tags else PASSED


def _test_id(element: ET.Element) -> str:
    name = element.get("name", "")
    inside = element.get("classname", "")
    file = element.get("file", "").replace("\\", "/")
    if not file:
        return f"{inside}::{name}" if inside else name
    module = file.removesuffix(".py").replace("/", ".")
    classes = inside[len(module) + 1 :].split(".") if inside.startswith(f"{module}.") else []
    return "::".join((file, *classes, name))
