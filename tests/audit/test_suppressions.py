"""Comments that accept a finding."""

from __future__ import annotations

from textwrap import dedent

import pytest

from carrel.audit.facts import Suppression
from carrel.audit.suppressions import UNEXPLAINED, UNUSED, find_suppressions, suppress
from carrel.findings import Finding, Location, RuleInfo

INFO = RuleInfo(rule="my-rule", code="CAR999", severity="error", title="t", why="w", fix="f")
CHECKED = {info.rule: info for info in (INFO, UNUSED, UNEXPLAINED)}


def read(text: str) -> tuple[Suppression, ...]:
    return find_suppressions(dedent(text).encode())


def left(text: str, line: int) -> list[tuple[str, int]]:
    """What is left of one finding on the line."""
    found = Finding(
        rule="my-rule", code="CAR999", severity="error", location=Location(path="a.py", line=line), message="m"
    )
    findings, _ = suppress([found], {"a.py": read(text)}, CHECKED)
    return [(one.rule, one.location.line) for one in findings]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1  # carrel: ignore[my-rule] it is safe\n", 1),
        ("x = 1  # carrel: ignore[CAR999] it is safe", 1),
        ("x = 1  # carrel:ignore[other, my-rule]: it is safe\n", 1),
        ("# carrel: ignore[my-rule] it is safe\n\n# more\nx = 1\n", 4),
        ("f(\n  1,\n  2,  # carrel: ignore[my-rule] it is safe\n)\n", 1),
        ("# carrel: ignore[my-rule] it is safe\nf(\n  1,\n)\n", 3),
        ("# carrel: ignore[my-rule] it is safe\ndef f():\n    pass\n", 2),
        ("if x:\n    # carrel: ignore[my-rule] it is safe\n    y = 1\n", 3),
    ],
)
def test_it_is_suppressed(text: str, line: int) -> None:
    assert [rule for rule, _ in left(text, line) if rule == "my-rule"] == []


@pytest.mark.parametrize(
    ("text", "line", "other"),
    [
        ("x = 1  # carrel: ignore[my-rule] it is safe\ny = 2\n", 2, "unused-suppression"),
        ("# carrel: ignore[my-rule] it is safe\ndef f():\n    pass\n", 3, "unused-suppression"),
        ("x = 1  # carrel: ignore[my-rule]\n", 1, "unexplained-suppression"),
        ("x = 1  # carrel: ignore it is safe\n", 1, "unexplained-suppression"),
        ("x = 1  # carrel: ignore[] it is safe\n", 1, "unexplained-suppression"),
    ],
)
def test_it_is_not_and_the_comment_is_reported(text: str, line: int, other: str) -> None:
    assert left(text, line) == [("my-rule", line), (other, 1)]


def test_a_suppression_of_a_rule_that_was_not_checked_is_left_alone() -> None:
    assert left("x = 1  # carrel: ignore[another] it is safe\n", 1) == [("my-rule", 1)]


def test_a_string_is_no_comment() -> None:
    assert read("x = '# carrel: ignore[my-rule] it is safe'\n") == ()
    assert read("# carrel: ignore[my-rule] (\n(") == ()


def test_without_findings_everything_is_unused() -> None:
    findings, count = suppress([], {"a.py": read("x = 1  # carrel: ignore[my-rule] safe\n")}, CHECKED)
    assert [(one.rule, count) for one in findings] == [("unused-suppression", 0)]
