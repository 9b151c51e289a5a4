"""carrel passes its own audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.audit.runner import audit
from carrel.audit.settings import AuditSettings

SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.timeout(120)  # all of the source is read, on whatever machine
def test_the_source_scores_100_without_suppressions(tmp_path: Path) -> None:
    report = audit(SOURCE, AuditSettings(), jobs=1)
    said = [f"{one.location.path}:{one.location.line} {one.code} {one.message}" for one in report.findings]
    assert said == []
    assert report.summary.unparsable == ()
    assert report.summary.score is not None
    assert report.summary.score.value == 100
    assert ("Suppressed", "0") in report.summary.details
