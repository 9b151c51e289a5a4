"""`carrel serve`: what it hands on, and what it says when it is up."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

import carrel.server.process
from carrel.cli.serve import announce
from carrel.server.first_start import DemoLogin, Started
from carrel.server.settings_sources import load_settings
from tests.cli.conftest import Run
from tests.server.serving import serving, wait_for_end


def test_the_demo_login_is_said_once_the_server_is_up(capsys: pytest.CaptureFixture[str]) -> None:
    announce(Started("http://127.0.0.1:8000", DemoLogin("demo", "pa[ss]"), users=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["carrel is at http://127.0.0.1:8000", "Log in as demo with the password pa[ss]"]


def test_the_directory_that_was_given_is_told_for_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    announce(Started("http://x", DemoLogin("demo", "secret"), users=True), data_dir=Path("my data"))
    assert "carrel user passwd demo --data-dir 'my data' sets another." in capsys.readouterr().out
    announce(Started("http://x", None, users=False), data_dir=Path(".data"))
    assert "carrel user add NAME --data-dir .data" in capsys.readouterr().out


def test_without_users_it_says_how_to_add_one(capsys: pytest.CaptureFixture[str]) -> None:
    announce(Started("http://x", None, users=False))
    assert "carrel user add NAME" in capsys.readouterr().out
    announce(Started("http://x", None, users=True))
    assert "carrel user" not in capsys.readouterr().out


def test_options_reach_the_server(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(carrel.server.process, "run_server", lambda *arguments: seen.extend(arguments))
    ended = run("serve", "--port", "0", "--data-dir", "d", "--agents", "a:A", "--agents", "b.c:B", "--tools", "t:T")
    assert ended.exit_code == 0, ended.output
    settings, listener, said = seen
    with listener:
        assert (settings.port, settings.data_dir) == (0, tmp_path / "d")
        assert (said.func, said.keywords) == (announce, {"data_dir": Path("d")})
        assert (settings.agents, settings.tools) == (("a:A", "b.c:B"), ("t:T",))


def test_what_reloading_starts_again_reads_the_same_settings(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def reloading(settings: Any, listener: Any, announcement: Any) -> None:
        listener.close()
        seen.extend((settings, load_settings()))

    monkeypatch.setattr(carrel.server.process, "run_reloading", reloading)
    monkeypatch.setattr("os.environ", {**__import__("os").environ})
    (tmp_path / "some.toml").write_text('log_level = "debug"')
    run("serve", "--port", "0", "--reload", "--config", "some.toml", "--agents", "a:A", "--agents", "b:B")
    assert seen[0] == seen[1]
    assert seen[1].agents == ("a:A", "b:B")
    assert seen[1].log_level == "debug"


def test_keys_of_an_env_file_are_there_for_the_libraries(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setattr(carrel.server.process, "run_server", lambda settings, listener, said: listener.close())
    monkeypatch.setattr("os.environ", {**os.environ, "HAS_ONE": "already"})
    (tmp_path / ".env").write_text("SOME_API_KEY=x\nHAS_ONE=other\nCARREL_LOG_LEVEL=debug\n")
    run("serve", "--port", "0")
    assert (os.environ["SOME_API_KEY"], os.environ["HAS_ONE"]) == ("x", "already")
    assert "CARREL_LOG_LEVEL" not in os.environ


@pytest.mark.timeout(90)
async def test_a_changed_file_starts_the_server_again(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('async def first(run):\n    """One."""\n    return "1"\n\nAGENTS = (first,)\n')
    with serving(tmp_path, "--reload", "--agents", "mine:AGENTS") as process:
        tokens = await process.log_in("demo", process.said[1].split()[-1])
        (tmp_path / "mine.py").write_text(
            'async def other(run):\n    """Two."""\n    return "2"\n\nAGENTS = (other,)\n'
        )
        names: list[str] = []
        async with process.http(tokens) as http:
            while "other" not in names:
                try:
                    answer = await http.get("/api/v1/agents", timeout=5)
                except httpx.HTTPError:
                    continue
                names = [agent["name"] for agent in answer.json()["agents"]]
        process.popen.send_signal(signal.SIGTERM)
        assert wait_for_end(process.popen) == 0
