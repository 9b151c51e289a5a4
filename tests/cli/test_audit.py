"""`carrel audit` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from carrel.errors import CarrelError, SettingsError
from tests.cli.conftest import Run

LEAK = "def ask(q, history: list = []):\n    history.append(q)\n    return len(history)\n"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(LEAK, encoding="utf-8")
    return tmp_path


def test_findings_are_exit_code_1(run: Run, code: Path) -> None:
    result = run("audit", "--no-cache")
    assert result.exit_code == 1
    assert "CAR004" in result.stdout
    assert "app.py:1" in result.stdout


def test_nothing_is_exit_code_0(run: Run, code: Path) -> None:
    assert run("audit", "--ignore", "CAR004", "--no-cache").exit_code == 0
    (code / "app.py").write_text("", encoding="utf-8")
    assert run("audit").exit_code == 0
    assert (code / ".carrel").is_dir()


@pytest.mark.parametrize(
    ("arguments", "setting"),
    [
        (("--select", "CAR999"), "select"),
        (("--fail-on", "fatal"), "fail-on"),
        (("--format", "pdf"), "format"),
        (("--group", "size"), "group"),
        (("--show", "all"), "show"),
        (("--baseline", "nowhere.json"), "baseline"),
        (("--write-baseline",), "baseline"),
        (("--explain", "CAR999"), "rule"),
    ],
)
def test_what_cannot_be_run_names_the_setting(run: Run, code: Path, arguments: tuple[str, ...], setting: str) -> None:
    raised = run("audit", "--no-cache", *arguments).exception
    assert isinstance(raised, SettingsError)
    assert raised.setting == setting


def test_a_report_that_cannot_be_written_says_where(run: Run, code: Path) -> None:
    raised = run("audit", "--no-cache", "--output", "no/such/directory").exception
    assert isinstance(raised, CarrelError)
    assert "no/such/directory cannot be written" in str(raised)


def test_a_directory_that_is_not_there(run: Run) -> None:
    assert isinstance(run("audit", "nowhere").exception, CarrelError)


def test_json(run: Run, code: Path) -> None:
    result = run("audit", "--format", "json", "--no-cache")
    assert [finding["rule"] for finding in json.loads(result.stdout)["findings"]] == ["mutable-default"]


def test_a_report_in_a_file(run: Run, code: Path) -> None:
    result = run("audit", "--output", "audit.md", "--format", "markdown", "--no-cache")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "mutable-default" in (code / "audit.md").read_text(encoding="utf-8")


def test_a_baseline_lets_through_what_is_known(run: Run, code: Path) -> None:
    assert run("audit", "--no-cache", "--baseline", "known.json", "--write-baseline").exit_code == 0
    assert run("audit", "--no-cache", "--baseline", "known.json").exit_code == 0
    (code / "pyproject.toml").write_text('[tool.carrel.audit]\nbaseline = "known.json"\n', encoding="utf-8")
    assert run("audit", "--no-cache").exit_code == 0
    (code / "new.py").write_text(LEAK, encoding="utf-8")
    assert run("audit", "--no-cache").exit_code == 1


def test_a_severity_below_the_bar(run: Run, code: Path) -> None:
    (code / "app.py").write_text("def ask(q, history=[]):\n    return history\n", encoding="utf-8")
    assert run("audit", "--no-cache").exit_code == 0
    assert run("audit", "--no-cache", "--fail-on", "info").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "is_shown"),
    [
        ((), False),
        (("--show", "info"), True),
        (("--fail-on", "info"), True),
        (("--fail-on", "info", "--show", "error"), False),
    ],
)
def test_what_only_informs_is_shown_when_it_is_asked_for(
    run: Run, code: Path, arguments: tuple[str, ...], is_shown: bool
) -> None:
    (code / "app.py").write_text("def ask(q, history=[]):\n    return history\n", encoding="utf-8")
    shown = run("audit", "--no-cache", *arguments).stdout
    assert ("--> app.py:1" in shown) is is_shown
    assert ("1 finding counted by rule alone" in shown) is not is_shown


def test_doubtful_leaks_of_an_application_are_said_aloud_when_it_is_strict(run: Run, code: Path) -> None:
    routes = "".join(f"@app.get('/{number}')\ndef route{number}(): ...\n" for number in range(20))
    head = "from celery import shared_task\nfrom fastapi import FastAPI\napp = FastAPI()\n"
    (code / "app.py").write_text(f"{head}{routes}@shared_task\n{LEAK}", encoding="utf-8")
    assert run("audit", "--no-cache", "--fail-on", "warning").exit_code == 0
    assert run("audit", "--no-cache", "--fail-on", "warning", "--strict").exit_code == 1
    (code / "pyproject.toml").write_text("[tool.carrel.audit]\nstrict = true\n", encoding="utf-8")
    assert run("audit", "--no-cache", "--fail-on", "warning").exit_code == 1
    assert run("audit", "--no-cache", "--fail-on", "warning", "--no-strict").exit_code == 0


def test_the_safe_fix_as_a_diff(run: Run, code: Path) -> None:
    result = run("audit", "--diff", "--no-cache")
    assert "+def ask(q, history: list | None = None):" in result.stdout


def test_the_rules_and_one_of_them(run: Run) -> None:
    assert "CAR005\terror\tshared-object-stores-argument" in run("audit", "--rules").stdout
    explained = run("audit", "--explain", "CAR005").stdout
    assert "Why:  One object serves every request." in explained
    assert "# carrel: ignore[shared-object-stores-argument]" in explained


def test_help_teaches(run: Run) -> None:
    text = run("audit", "--help").stdout
    assert "# carrel: ignore[" in text
    assert "[tool.carrel.audit]" in text
