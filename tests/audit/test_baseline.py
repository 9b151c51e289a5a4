"""What was there before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from carrel.audit.baseline import read_baseline, write_baseline
from carrel.errors import SettingsError
from carrel.findings import Finding, Location, fingerprinted


def findings(*rules: str) -> tuple[Finding, ...]:
    place = Location(path="a.py", line=1)
    return fingerprinted(
        Finding(rule=rule, code="C", severity="error", location=place, message="m \udcff") for rule in rules
    )


def test_what_was_written_is_known(tmp_path: Path) -> None:
    file = tmp_path / "new" / "audit.json"
    write_baseline(file, findings("a", "b"), 71.5)
    baseline = read_baseline(file)
    marked, comparison = baseline.compare(findings("b", "c"))
    assert [(one.rule, one.known) for one in marked] == [("b", True), ("c", False)]
    assert (comparison.new, comparison.known, comparison.gone) == (1, 1, 1)
    assert baseline.score == 71.5


def test_a_finding_is_a_line_of_the_file(tmp_path: Path) -> None:
    write_baseline(tmp_path / "a", findings("a", "b"), 50)
    lines = (tmp_path / "a").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    assert json.loads("".join(lines))["findings"][0]["rule"] == "a"


def test_an_empty_baseline_can_be_read(tmp_path: Path) -> None:
    write_baseline(tmp_path / "a", (), 100)
    assert read_baseline(tmp_path / "a").fingerprints == frozenset()


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 2, "score": 1, "findings": []}', '{"findings": 3}'])
def test_what_is_no_baseline(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="--write-baseline"):
        read_baseline(tmp_path / "a")


def test_a_baseline_that_is_not_there_or_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_baseline(tmp_path / "a")
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        write_baseline(tmp_path / "file" / "a", (), 1)
