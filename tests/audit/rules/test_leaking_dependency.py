"""Pins of versions that leak, in a code base on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.audit.rules.leaking_dependency import LeakingDependency
from carrel.audit.runner import audit
from carrel.audit.settings import AuditSettings


def test_each_pin_is_found_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import channels\nfrom redis import asyncio as redis\n")
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
    (tmp_path / "app.py").write_text("import redis.asyncio\n")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "requirements.txt").write_text("redis==4.5.1\n")
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [one.severity for one in report.findings] == ["info"]


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        ("requirements.txt", "error"), ("requirements-prod.txt", "error"), ("requirements/base.txt", "error"),
        ("deploy/pinned-requirements.txt", "error"), ("constraints.txt", "error"),
        ("contrib-requirements.txt", "info"), ("requirements-dev.txt", "info"), ("requirements/docs.txt", "info"),
    ],
)  # fmt: skip
def test_the_product_is_installed_from_the_file(tmp_path: Path, path: str, severity: str) -> None:
    (tmp_path / "app.py").write_text("import redis.asyncio\n")
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("redis==4.5.1\n")
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [one.severity for one in report.findings] == [severity]


def test_where_there_is_no_code_the_pin_is_all_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("redis==4.5.1\n")
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [one.severity for one in report.findings] == ["error"]


@pytest.mark.parametrize(
    ("pin", "code", "severity"),
    [
        ("mcp==1.11.0", "from mcp.server.fastmcp import FastMCP\n", "info"),
        ("mcp==1.11.0", "from mcp.server.auth.settings import AuthSettings\n", "error"),
        ("asyncmy==0.2.10", "from sqlalchemy.ext.asyncio import create_async_engine\n", "info"),
        ("asyncmy==0.2.10", "import asyncmy\n", "error"),
        ("fastmcp==2.13.1", "from fastmcp import FastMCP\n", "info"),
        ("fastmcp==2.13.1", "from fastmcp.server.dependencies import get_http_headers\n", "error"),
        ("redis==4.5.1", "import redis\nclient = redis.Redis()\n", "info"),
        ("redis==4.5.1", "from arq import create_pool\n", "error"),
        ("litellm==1.80.0", "import litellm\nlitellm.completion()\n", "info"),
        ("litellm==1.80.0", "from litellm.proxy import proxy_server\n", "error"),
        ("gradio==6.14.0", "import gradio as gr\ndemo = gr.load('a/b')\n", "error"),
        ("gradio==6.14.0", "import gradio as gr\ndemo = gr.Blocks()\n", "info"),
        ("open-webui==0.8.0", "x = 1\n", "error"),
    ],
)  # fmt: skip
def test_what_leaks_is_in_use(tmp_path: Path, pin: str, code: str, severity: str) -> None:
    (tmp_path / "app.py").write_text(code)
    (tmp_path / "requirements.txt").write_text(pin)
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [one.severity for one in report.findings] == [severity]


def test_a_version_that_several_files_pin_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import redis.asyncio\n")
    for name in ("dev-requirements.txt", "requirements.txt"):
        (tmp_path / name).write_text("redis==4.5.1\n")
    (found,) = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1).findings
    assert found.location.path == "requirements.txt"
    assert [one.path for one in found.related] == ["app.py", "dev-requirements.txt"]


def test_repaired_versions_are_quiet(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("redis==4.5.4\nflask==2.2.5\nmcp==1.27.2\n")
    assert audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1).findings == ()
