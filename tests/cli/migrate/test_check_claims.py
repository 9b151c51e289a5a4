"""Tests of carrel.cli.migrate.check_claims."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.migrate.small import small
from tests.migrate.project import commit


def test_claims_that_do_not_hold_are_told(run: Run, tmp_path: Path):
    root = small(tmp_path)
    (root / "notes.md").write_text("done\n")
    commit(root, "Migration complete, 154 files")
    result = run("migrate", "check-claims")
    assert result.exit_code == 1
    assert result.output.count("WRONG") == 2
    data = json.loads(run("migrate", "check-claims", "--format", "json").output)
    assert [(one["said"], one["holds"]) for one in data["claims"]] == [("154 files", False), ("complete", False)]


def test_nothing_claimed_is_success(run: Run, tmp_path: Path):
    small(tmp_path)
    result = run("migrate", "check-claims")
    assert result.exit_code == 0
    assert "No commit message claims anything" in result.output


def test_a_claim_that_holds_is_success(run: Run, tmp_path: Path):
    root = small(tmp_path)
    (root / "tests" / "test_app.py").unlink()
    commit(root, "Migration complete")
    result = run("migrate", "check-claims", "--most", "1")
    assert result.exit_code == 0
    assert "holds" in result.output
