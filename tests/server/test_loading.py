"""Agents and tools by name: what is found, and what is said about what is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from carrel.errors import SettingsError
from carrel.server.loading import load_tuples


@pytest.fixture(autouse=True)
def in_a_directory_with_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (tmp_path / "carrel_test_pack").mkdir()
    (tmp_path / "carrel_test_pack" / "parts.py").write_text("ONE = (1, 2)\nTWO = (3,)\nLIST = [1]\nNONE = ()\n")
    (tmp_path / "carrel_test_pack" / "broken.py").write_text("1 / 0\n")
    (tmp_path / "carrel_test_pack" / "lacking.py").write_text("import carrel_test_not_installed\n")
    return tmp_path


def test_tuples_of_the_current_directory_are_joined_in_order() -> None:
    assert load_tuples("--agents", ("carrel_test_pack.parts:TWO", "carrel_test_pack.parts:ONE")) == (3, 1, 2)
    assert load_tuples("--tools", ("carrel_test_pack.parts:NONE",)) == ()


def test_nothing_named_is_nothing_loaded() -> None:
    before = list(sys.path)
    assert load_tuples("--agents", ()) == ()
    assert sys.path == before


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("carrel_test_missing:A", "there is no module 'carrel_test_missing'"),
        ("carrel_test_pack.missing:A", "there is no module 'carrel_test_pack.missing'"),
        ("carrel_test_pack.lacking:A", "imports 'carrel_test_not_installed', which is not installed"),
        ("carrel_test_pack.broken:A", "importing it failed: ZeroDivisionError"),
        ("carrel_test_pack.parts:OTHER", "has no OTHER"),
        ("carrel_test_pack.parts:LIST", "is a list and must be a tuple"),
    ],
)
def test_what_is_wrong_is_said(path: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_tuples("--agents", (path,))
    assert caught.value.setting == "--agents"
    assert path in str(caught.value)
    assert said in str(caught.value)
