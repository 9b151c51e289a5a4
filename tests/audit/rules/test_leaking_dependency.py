"""Pins of versions that leak, in a code base on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.audit.rules.leaking_dependency import LeakingDependency
from carrel.audit.runner import audit
from carrel.audit.settings import AuditSettings


def test_each_pin_is_found_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from asgiref.local import Local\nfrom redis import asyncio as redis\n")
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
        ("asyncmy==0.2.10", "import asyncmy.errors\n", "info"),
        ("asyncmy==0.2.10", "import asyncmy\nasync def pool():\n    return await asyncmy.create_pool()\n", "error"),
        ("fastmcp==2.13.1", "from fastmcp import FastMCP\n", "info"),
        ("fastmcp==2.13.1", "import fastmcp\nasync def say(ctx: fastmcp.Context):\n    await ctx.info('')\n", "info"),
        ("fastmcp==2.12.1", "from fastmcp.server.auth.providers.jwt import JWTVerifier\n", "info"),
        ("fastmcp==2.12.1", "from fastmcp.server.auth.providers.github import GitHubProvider\n", "error"),
        ("fastmcp==2.13.1", "from fastmcp.server.dependencies import get_http_headers\n", "error"),
        ("redis==4.5.1", "import redis\nclient = redis.Redis()\n", "info"),
        ("redis==4.5.1", "from arq import create_pool\n", "error"),
        ("litellm==1.80.0", "import litellm\nlitellm.completion()\n", "info"),
        ("litellm==1.80.0", "from litellm.proxy._types import UserAPIKeyAuth\n", "info"),
        ("litellm==1.80.0", "from litellm.proxy.auth.handle_jwt import JWTHandler\n", "error"),
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


_SIGN_IN = (
    "from flask import session\ndef sign_in(user):\n    session['user'] = user.id\n    session.permanent = True\n"
)
_HOOKED = (
    "from flask import Flask, session\n\ndef create_app():\n    app = Flask('shop')\n    @app.before_request\n"
    "    def hook():\n        session.permanent = True\n    return app\n"
)
_ASKED = _HOOKED.replace("session.permanent = True", "g.user = session.get('user_id')")
_STATELESS = "from mcp.server.auth.settings import AuthSettings\nserver = FastMCP('a', stateless_http=True)\n"


@pytest.mark.parametrize(
    ("pin", "code", "severity"),
    [
        ("flask==2.2.4", _SIGN_IN, "error"),
        ("flask==2.2.4", _SIGN_IN.replace("(user)", "(user, session=session)"), "error"),
        ("flask==2.2.4", _SIGN_IN.replace("True", "False"), "info"),
        ("flask==2.2.4", "from flask import session\ndef who():\n    return session['user']\n", "info"),
        ("flask==2.2.4", _HOOKED, "info"),
        ("flask==2.2.4", _SIGN_IN + _ASKED, "info"),
        ("mcp==1.11.0", "from mcp.server.fastmcp import FastMCP\n" + _STATELESS, "info"),
    ],
)
def test_the_program_does_what_the_advisory_speaks_of(tmp_path: Path, pin: str, code: str, severity: str) -> None:
    (tmp_path / "app.py").write_text(code)
    (tmp_path / "requirements.txt").write_text(pin)
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [one.severity for one in report.findings] == [severity]


@pytest.mark.parametrize(("argument", "severities"), [("", {"info"}), ("server_name='::'", {"info", "error"})])
def test_a_page_for_the_machine_that_it_runs_on_has_one_user(
    tmp_path: Path, argument: str, severities: set[str]
) -> None:
    (tmp_path / "app.py").write_text(f"import gradio as gr\ndemo = gr.Blocks()\ndemo.launch({argument})\n")
    (tmp_path / "requirements.txt").write_text("gradio==4.9.0\n")
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert {one.severity for one in report.findings} == severities


def test_a_list_is_for_the_code_beside_it(tmp_path: Path) -> None:
    for name, code in (("shop", "import redis.asyncio\n"), ("gen", "import redis\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text(code)
        (tmp_path / name / "requirements.txt").write_text("redis==4.5.1\n" if name == "gen" else "redis==5.0.0\n")
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [(one.location.path, one.severity) for one in report.findings] == [("gen/requirements.txt", "info")]
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "requirements.txt").write_text("redis==4.5.1\n")
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [(one.location.path, one.severity) for one in report.findings] == [("deploy/requirements.txt", "error")]


def test_a_lock_that_the_requirements_beside_it_contradict_is_only_mentioned(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import redis.asyncio\n")
    (tmp_path / "requirements.txt").write_text("redis==5.0.0\n")
    (tmp_path / "poetry.lock").write_text('[[package]]\nname = "redis"\nversion = "4.5.1"\n')
    report = audit(tmp_path, AuditSettings(), rules=(LeakingDependency(),), jobs=1)
    assert [one.severity for one in report.findings] == ["info"]
