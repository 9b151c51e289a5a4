"""Tests of carrel.cli.migrate.plan."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.migrate.small import small


def test_the_plan_says_what_needs_a_person(run: Run, tmp_path: Path):
    small(tmp_path)
    result = run("migrate", "plan")
    assert result.exit_code == 0
    assert "1 reference by itself, 1 by hand." in result.output
    assert "By hand in unit" in result.output
    assert "tests/test_app.py:2" in result.output
    assert "How long it takes is known when a phase has run." in result.output


def test_the_plan_as_json_has_the_reasons(run: Run, tmp_path: Path):
    root = small(tmp_path)
    recipe = (root / "migration.toml").read_text()
    (root / "migration.toml").write_text(recipe.replace('"engine"', '"engine"\nrequires = ["motor>=2"]', 1))
    data = json.loads(run("migrate", "plan", "--format", "json").output)
    assert (data["automatic"], data["manual"], data["requires"]) == (1, 1, ["motor>=2"])
    (phase,) = data["phases"]
    assert (phase["name"], phase["files"], phase["dependents"]) == ("unit", ["tests/test_app.py"], 0)
    assert phase["manual"][0]["line"] == 2
    assert phase["manual"][0]["reason"]
    assert "motor>=2" in run("migrate", "plan").output
