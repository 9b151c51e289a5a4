"""The audit over the whole zoo: what it finds of each class of leaks, and what it says of the safe twins."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from carrel.audit.rules import RULES
from carrel.audit.runner import audit
from carrel.audit.settings import AuditSettings
from carrel.findings import Finding
from tests.zoo.samples import SAMPLES, Sample

# The first test to ask runs the audit over the whole zoo.
pytestmark = pytest.mark.timeout(120)
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "detection-matrix.md"
CLASSES = {info.rule: frozenset(info.leak_classes) for info in (rule.info for rule in RULES)}
NEAR = 2
"""Lines between a finding and the place that the zoo names."""


@dataclass
class Row:
    """What was found of one class."""

    title: str = ""
    leaks: int = 0
    found: int = 0
    """Leaking samples with an error or warning of their own class, at the place of the leak."""
    hinted: list[str] = field(default_factory=list)
    """Leaking samples with only an info finding there, or one of another class."""
    missed: list[str] = field(default_factory=list)
    safe: int = 0
    alarms: list[str] = field(default_factory=list)
    """Safe samples with an error or warning of any leak class."""


def findings_of(sample: Sample, place: Path) -> tuple[Finding, ...]:
    root = sample.path
    if root.is_file():
        root = place / sample.path.stem
        root.mkdir()
        shutil.copy(sample.path, root)
    return tuple(one for one in audit(root, AuditSettings(), jobs=1).findings if CLASSES[one.rule])


def at_the_leak(finding: Finding, sample: Sample) -> bool:
    places = {(str(place.path.relative_to(sample.root)), place.line) for place in sample.places()}
    return any(
        location.path == path and abs(location.line - line) <= NEAR
        for location in (finding.location, *finding.related)
        for path, line in places
    )


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Row]:
    rows: dict[int, Row] = defaultdict(Row)
    place = tmp_path_factory.mktemp("zoo")
    for sample in SAMPLES:
        row = rows[sample.number]
        row.title = sample.title
        found = findings_of(sample, place)
        loud = [one for one in found if one.severity != "info"]
        if sample.verdict == "safe":
            row.safe += 1
            row.alarms += [sample.path.stem] if loud else []
            continue
        row.leaks += 1
        here = [one for one in found if at_the_leak(one, sample)]
        if any(sample.number in CLASSES[one.rule] for one in here if one in loud):
            row.found += 1
        elif here:
            row.hinted.append(sample.path.stem)
        else:
            row.missed.append(sample.path.stem)
    return dict(rows)


def page(matrix: dict[int, Row]) -> str:
    rows = [
        f"| {number} | {row.title} | {row.found} of {row.leaks} | {names(row.hinted)} | {names(row.missed)} "
        f"| {names(row.alarms)} of {row.safe} |"
        for number, row in sorted(matrix.items())
    ]
    every = matrix.values()
    whole = sum(row.found > 0 for row in every)
    return f"""# What the audit finds

Made by `UPDATE_MATRIX=1 make test ARGS=tests/audit/test_detection_matrix.py` from a run over the zoo
(`tests/data/zoo`): {sum(row.leaks for row in every)} small programs that leak, each shown by running it, and \
{sum(row.safe for row in every)} that look
alike and do not. A leak counts as *found* when there is an error or warning
of its own class within {NEAR} lines of a place that the zoo names; *hinted* when there is only an info finding, or one
of another class. An *alarm* is an error or warning about leaks in a safe program.

- Classes found in at least one program: {whole} of {len(matrix)}.
- Leaking programs: {sum(row.found for row in every)} of {sum(row.leaks for row in every)} found, \
{sum(len(row.hinted) for row in every)} hinted at, {sum(len(row.missed) for row in every)} missed.
- Safe programs that raise an alarm: {sum(len(row.alarms) for row in every)} of {sum(row.safe for row in every)}.

The programs were written without looking at the rules,
and the rules were improved while looking at them: expect less on your code. [How often a finding is
right](../explanation/precision.md) is another question.

| class | | found | hinted | missed | alarms |
|---:|---|---:|---|---|---|
{chr(10).join(rows)}
"""


def names(samples: list[str]) -> str:
    return ", ".join(f"`{one}`" for one in sorted(samples)) or "0"


def test_the_page_says_what_is_found(matrix):
    text = page(matrix)
    if os.environ.get("UPDATE_MATRIX"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


def test_nearly_every_class_is_found_and_nearly_nothing_else(matrix):
    assert sum(row.found > 0 for row in matrix.values()) >= 36
    assert sum(len(row.alarms) for row in matrix.values()) <= 2


def test_a_rule_that_sees_nothing_would_be_noticed(matrix):
    assert not [number for number, row in matrix.items() if row.found == 0 and not row.hinted]
