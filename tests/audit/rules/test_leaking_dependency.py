"""Pins of versions that leak, in a code base on disk."""

from __future__ import annotations

from pathlib import Path

from carrel.audit.rules.leaking_dependency import LeakingDependency
from carrel.audit.runner import audit
from carrel.audit.settings import AuditSettings


def test_each_pin_is_found_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    (tmp_path / "requirements.txt").write_text("flask==3.0.0\nredis==4.5.1\n")
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "asgiref"\nversion = "3.8.1"\n')
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [(one.location.path, one.location.line, one.severity) for one in report.findings] == [
        ("requirements.txt", 2, "error"),
        ("uv.lock", 3, "error"),
    ]
    first = report.findings[0]
    assert first.message.startswith("redis 4.5.1: ")
    assert "https://github.com/advisories/GHSA-8fww-64cx-x8p5" in first.message
    assert first.fix.description == "Move to redis 4.5.4 or later."
    assert report.summary.files == 1


def test_what_an_example_is_made_with_is_only_mentioned(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "requirements.txt").write_text("redis==4.5.1\n")
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [one.severity for one in report.findings] == ["info"]


def test_repaired_versions_are_quiet(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("redis==4.5.4\nflask==2.2.5\nmcp==1.27.2\n")
    assert audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1).findings == ()
