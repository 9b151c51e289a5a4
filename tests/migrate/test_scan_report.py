"""Tests of carrel.migrate.scan_report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from carrel.migrate.outcome import LeftReference, Refused, Unchanged
from carrel.migrate.scan_report import KINDS, scan_data, scan_report, with_reasons
from carrel.reporting import format_named
from tests.migrate.tree import scan

FILES: dict[str, str | bytes] = {
    "app.py": "from pkg.engine import Engine\nx = 'pkg.engine.Engine'\n",
    "bad.py": "from pkg.engine import Engine\ndef (\n",
}


def test_the_data_are_as_documented(tmp_path: Path):
    data = json.loads(json.dumps(scan_data(scan(tmp_path, FILES))))
    seconds = data["summary"].pop("seconds")
    assert seconds >= 0
    assert data["schema_version"] == 1
    assert data["summary"] == {
        "files": 6, "python_files": 6, "parsed": 2, "unparsable": 1, "mentions": 7, "mention_files": 5,
        "references": 2, "reference_files": 1, "by_kind": {"import": 1, "patch_target": 1},
        "by_certainty": {"certain": 1, "string": 1},
    }  # fmt: skip
    assert data["references"][0] == {
        "path": "app.py", "line": 1, "column": 23, "end_line": 1, "end_column": 29, "kind": "import",
        "certainty": "certain", "symbol": "pkg.engine.Engine", "resolved_to": "pkg.engine.Engine", "via": [],
        "phase": "rest", "text": "Engine", "reason": "",
    }  # fmt: skip
    assert [(one["path"], one["line"]) for one in data["unparsable"]] == [("bad.py", 2)]


def test_each_reference_is_a_finding_of_its_kinds_rule(tmp_path: Path):
    report = scan_report(scan(tmp_path, FILES), tmp_path)
    assert [(one.rule, one.code, one.severity) for one in report.findings] == [
        ("import", "MIG001", "warning"),
        ("patch_target", "MIG008", "info"),
    ]
    assert "whether code reads it is not known." in report.findings[1].why
    assert [rule.rule for rule in report.rules] == list(KINDS)
    assert report.sources("app.py")[0] == "from pkg.engine import Engine"
    assert report.sources("gone.py") == []


@pytest.mark.parametrize("name", ["markdown", "html", "sarif"])
def test_a_scan_can_be_rendered(tmp_path: Path, name: str):
    text = format_named(name).render(scan_report(scan(tmp_path, FILES), tmp_path))
    assert "pkg.engine.Engine" in text
    assert text.endswith("\n")


def test_reasons_of_the_edits_are_taken_over(tmp_path: Path):
    found = scan(tmp_path, FILES)
    first, second = found.references
    left = Unchanged(path="app.py", left=(LeftReference(reference=first, reason="not safe"),))
    refused = Refused(path="app.py", reason="would break", references=(second,))
    assert [one.reason for one in with_reasons(found, [left, refused]).references] == ["not safe", "would break"]
    assert with_reasons(found, []).references == found.references
