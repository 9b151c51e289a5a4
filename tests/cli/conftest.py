"""The command line in this process, in a directory of its own, without settings from outside."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from carrel.cli.application import application

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in os.environ:
        if name.startswith("CARREL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    runner = CliRunner()

    def invoke(*arguments: str, input: str = "") -> Result:
        return runner.invoke(application, list(arguments), input=input)

    return invoke
