"""docs/explanation/guarantees.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "guarantees.md"


def promises() -> list[str]:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith(("| promise", "| input"))]


def existing() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found.update(re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    for path in (ROOT / "tests" / "contracts").glob("*.py"):
        found.update(re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    return found


def test_every_promise_names_a_test() -> None:
    assert len(promises()) >= 15
    assert [row for row in promises() if not re.search(r"`test_\w+`", row.split("|")[-2])] == []


def test_every_test_that_is_named_exists() -> None:
    assert sorted(set(re.findall(r"`(test_\w+)`", PAGE.read_text())) - existing()) == []
