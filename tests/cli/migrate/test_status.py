"""Tests of carrel.cli.migrate.status."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.migrate.small import small
from tests.migrate.project import commit


def test_status_says_what_is_left(run: Run, tmp_path: Path):
    small(tmp_path)
    result = run("migrate", "status")
    assert result.exit_code == 1
    assert "2 references left in 1 file; 9 mentions in text." in result.output
    assert "tests/test_app.py:1" in result.output
    assert "pkg.engine.Engine" in result.output


def test_the_history_is_counted_on_request(run: Run, tmp_path: Path):
    root = small(tmp_path)
    (root / "tests" / "test_app.py").unlink()
    commit(root, "Remove the last")
    result = run("migrate", "status", "--history", "5", "--format", "json")
    assert result.exit_code == 0
    data = json.loads(result.output)
    assert (data["done"], data["references"], data["importers"]) == (True, 0, [])
    assert [one["references"] for one in data["history"]] == [2, 0]
    assert "Remove the last" in run("migrate", "status", "--history", "5").output
