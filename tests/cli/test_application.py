"""The command itself: light, self-explaining, and plain about errors."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from carrel.cli import application as module
from carrel.errors import SettingsError
from tests.cli.conftest import Run
from tests.cli.migrate.small import small
from tests.server.serving import carrel, clean_environment


def test_the_version_is_shown(run: Run) -> None:
    assert run("--version").stdout == f"carrel {version('carrel')}\n"


@pytest.mark.parametrize("command", [(), ("serve",), ("doctor",), ("user",), ("user", "add"), ("user", "passwd")])
def test_help_teaches_with_examples(run: Run, command: tuple[str, ...]) -> None:
    shown = run(*command, "--help")
    assert shown.exit_code == 0
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert [line for line in lines if line.startswith(("carrel ", "pass show"))], shown.stdout


@pytest.mark.parametrize("group", [(), ("user",), ("migrate",)])
def test_a_list_of_commands_says_of_each_what_it_does_to_the_end(run: Run, group: tuple[str, ...]) -> None:
    _, _, commands = run(*group, "--help").stdout.partition("Commands:\n")
    assert [line for line in commands.splitlines() if not line.endswith(".") or line.endswith("...")] == []


SERVER = (
    "aiosqlite",
    "asyncio",
    "fastapi",
    "httpx",
    "jwt",
    "pydantic",
    "sqlalchemy",
    "starlette",
    "structlog",
    "uvicorn",
)
WORKERS = ("concurrent.futures.process", "multiprocessing")
LIGHT = {
    ("--help",): (*SERVER, *WORKERS, "msgspec", "rich"),
    ("migrate", "scan"): (*SERVER, *WORKERS, "carrel.audit", "carrel.migrate.search", "carrel.reporting", "rich"),
    ("audit",): (*SERVER, *WORKERS, "carrel.migrate", "typer"),
}


@pytest.mark.parametrize(("command", "heavy"), LIGHT.items(), ids=[" ".join(one) for one in LIGHT])
def test_a_command_imports_only_what_it_needs(tmp_path: Path, command: tuple[str, ...], heavy: tuple[str, ...]) -> None:
    small(tmp_path)
    code = (
        "import sys\n"
        f"sys.argv = ['carrel', *{command!r}]\n"
        "from carrel.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert end.code in (None, 0, 1), end.code\n"
        f"print('HEAVY', sorted(set({heavy!r}) & set(sys.modules)))\n"
    )
    # What the first run reads the second one knows.
    for _ in range(2):
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert shown.stdout.splitlines()[-1] == "HEAVY []"


def test_importing_the_commands_imports_no_server() -> None:
    code = "import sys, carrel.cli.application; print(sorted({'fastapi', 'sqlalchemy', 'uvicorn'} & set(sys.modules)))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean_environment()
    )
    assert shown.stdout == "[]\n"


def test_an_error_is_one_line_and_exit_code_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise SettingsError("CARREL_PORT", "is wrong;\nchoose another")

    monkeypatch.setattr(module, "application", fail)
    with pytest.raises(SystemExit) as caught:
        module.run()
    assert caught.value.code == 2
    assert capsys.readouterr().err == "carrel: CARREL_PORT: is wrong; choose another\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--port", "99999"), "at most 65535"),
        (("serve", "--agents", "missing_module:AGENTS"), "there is no module 'missing_module'"),
        (("serve", "--agents", "json"), "package.module:NAME"),
        (("serve", "--host", "0.0.0.0"), "CARREL_SECRET"),
        (("serve", "--config", "missing.toml"), "there is no file"),
        (("serve", "--data-dir", "/dev/null/x"), "/dev/null/x"),
        (("user", "disable", "nobody"), "there is no user 'nobody'"),
    ],
    ids=str,
)
@pytest.mark.timeout(60)
def test_the_real_command_says_what_is_wrong_without_a_traceback(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    place = () if "--data-dir" in arguments else ("--data-dir", str(tmp_path / "data"))
    port = () if "--port" in arguments or arguments[0] == "user" else ("--port", "0")
    ended = carrel(*arguments, *place, *port, directory=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("carrel: ")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr


def test_what_is_no_command_is_said(run: Run) -> None:
    ended = run("srve")
    assert ended.exit_code == 2
    assert "No such command" in ended.stderr


def test_a_mistake_of_its_own_is_exit_code_two_and_never_looks_like_findings(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("HISTORY = []\n")
    code = (
        "import sys\nfrom carrel.audit import runner\n"
        "def fail(*arguments, **named):\n    raise TypeError('Extra positional\\narguments provided')\n"
        "runner.judge = fail\n"
        "sys.argv = ['carrel', 'audit', '--format', 'json', '--output', 'found.json', '--jobs', '1']\n"
        "from carrel.cli import main\nmain()\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=clean_environment(), check=False
    )
    assert shown.returncode == 2
    assert not (tmp_path / "found.json").exists()
    assert shown.stdout == ""
    assert shown.stderr.startswith("Traceback")
    last = "carrel: a mistake of carrel's own, and no result: TypeError: Extra positional arguments provided."
    assert shown.stderr.splitlines()[-1].startswith(last)
