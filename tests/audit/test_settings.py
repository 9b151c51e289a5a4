"""What stands in pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.audit.settings import TESTS, AuditSettings, read_settings
from carrel.errors import SettingsError


def written(root: Path, text: str) -> Path:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    return root


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    written(tmp_path, '[tool.carrel.audit]\nfail-on = "info"\nignore = ["CAR1"]\nbaseline = "b.json"\n')
    (tmp_path / "src" / "app").mkdir(parents=True)
    settings, home = read_settings(tmp_path / "src" / "app")
    assert settings == AuditSettings(fail_on="info", ignore=("CAR1",), baseline="b.json")
    assert home == tmp_path


@pytest.mark.parametrize("text", ["", "[tool.carrel]\n", "[project]\nname = 'x'\n"])
def test_without_the_table_there_are_defaults(tmp_path: Path, text: str) -> None:
    assert read_settings(written(tmp_path, text))[0] == AuditSettings()


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("failon = 'error'", "tool.carrel.audit.failon"),
        ("fail_on = 'error'", "tool.carrel.audit.fail_on"),
        ("fail-on = 'fatal'", "tool.carrel.audit.fail-on"),
        ("ignore = 'CAR1'", "tool.carrel.audit.ignore"),
        ("select = [1]", "tool.carrel.audit.select"),
        ("tests = 'yes'", "tool.carrel.audit.tests"),
    ],
)
def test_an_error_names_the_key(tmp_path: Path, line: str, key: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(written(tmp_path, f"[tool.carrel.audit]\n{line}\n"))
    assert raised.value.setting == key


@pytest.mark.parametrize("text", ["[tool.carrel]\naudit = 3\n", "[tool\n"])
def test_a_file_that_cannot_be_understood(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError):
        read_settings(written(tmp_path, text))


def test_tests_are_left_out_unless_asked_for() -> None:
    assert AuditSettings(exclude=("vendor",)).excluded == ("vendor", *TESTS)
    assert AuditSettings(exclude=("vendor",), tests=True).excluded == ("vendor",)
