"""Tests of carrel.cli.migrate.report."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.migrate.small import small


def test_the_page_has_the_references_the_reasons_and_the_burn_down(run: Run, tmp_path: Path):
    small(tmp_path)
    result = run("migrate", "report", "--output", "migration.html")
    assert result.exit_code == 0
    page = (tmp_path / "migration.html").read_text()
    assert page.count("<svg") >= 1
    assert "References left over the history" in page
    assert page.index("References left over the history") < page.index("</body>")
    assert "tests/test_app.py" in page


def test_other_formats_have_the_history_too(run: Run, tmp_path: Path):
    small(tmp_path)
    data = json.loads(run("migrate", "report", "--format", "json").output)
    assert [one["references"] for one in data["history"]] == [2]
    assert "## History" in run("migrate", "report", "--format", "markdown").output
    assert json.loads(run("migrate", "report", "--format", "sarif").output)["version"] == "2.1.0"


def test_status_and_report_tell_the_history_alike(run: Run, tmp_path: Path):
    small(tmp_path)
    told = [
        json.loads(run("migrate", command, "--history", "1", "--format", "json").output)["history"]
        for command in ("status", "report")
    ]
    assert told[0] == told[1] != []


def test_without_git_there_is_a_report_without_history(run: Run, tmp_path: Path):
    root = small(tmp_path)
    (root / ".git").rename(root / ".not-git")
    assert "## History" not in run("migrate", "report", "--format", "markdown").output
    assert json.loads(run("migrate", "report", "--format", "json", "--history", "0").output)["history"] == []
