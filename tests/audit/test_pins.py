"""The pins in every kind of file that holds some."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.audit.pins import PIN_SUFFIXES, Pin, find_pins, is_pin_file, read_pins
from carrel.source import SourceTree


def pins(path: str, text: str) -> list[tuple[str, str, int]]:
    return [(one.package, str(one.version), one.line) for one in read_pins(path, text)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("redis==4.5.1", [("redis", "4.5.1", 1)]),
        ("Flask[async] == 2.2.4 ; python_version > '3.8'  # web", [("flask", "2.2.4", 1)]),
        ("open_webui===0.8.1", [("open-webui", "0.8.1", 1)]),
        ("redis==4.5.1 --hash=sha256:00", [("redis", "4.5.1", 1)]),
        ("redis==4.5.1 \\", [("redis", "4.5.1", 1)]),
        ("redis>=4.5.1", []),
        ("redis==4.5.*", []),
        ("redis~=4.5.1", []),
        ("# redis==4.5.1", []),
        ("-r other==1.txt", []),
        ("redis == not a version", []),
        ("", []),
    ],
)
def test_requirements(line: str, found: list[tuple[str, str, int]]) -> None:
    assert pins("requirements-dev.txt", line) == found


LOCK = (
    'version = 1\n\n[[package]]\nname = "Redis"\nversion = "4.5.1"\n\n[package.metadata]\nname = "x"\nversion = "2"\n'
)


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "pdm.lock"])
def test_lock_files(name: str) -> None:
    assert pins(f"backend/{name}", LOCK) == [("redis", "4.5.1", 5)]


def test_a_pipfile_lock() -> None:
    text = '{\n "default": {\n  "redis": {\n   "hashes": [],\n   "version": "==4.5.1"\n  }\n }\n}\n'
    assert pins("Pipfile.lock", text) == [("redis", "4.5.1", 5)]


def test_a_pyproject() -> None:
    text = (
        '[project]\nversion = "1.0"\ndependencies = [\n  "redis==4.5.1",\n  # "flask==2.2.4",\n  "mcp>=1",\n]\n'
        '[tool.poetry.dependencies]\npython = "3.11"\nflask = "2.2.4"\ngradio = { version = "==5.0", extras = [] }\n'
        'asgiref = "^3.8.1"\n'
    )
    assert pins("pyproject.toml", text) == [("redis", "4.5.1", 4), ("flask", "2.2.4", 10), ("gradio", "5.0", 11)]
    assert pins("pyproject.toml", text + "[broken") == []


def test_versions_that_are_none_are_left_out() -> None:
    assert pins("uv.lock", '[[package]]\nname = "x"\nversion = "main"\n') == []


@pytest.mark.parametrize(
    "path", ["requirements.txt", "a/requirements/base.in", "constraints.txt", "a/uv.lock", "pyproject.toml"]
)
def test_files_that_hold_pins(path: str) -> None:
    assert is_pin_file(path)
    assert path.endswith(PIN_SUFFIXES)


@pytest.mark.parametrize("path", ["notes.txt", "cargo.lock", "ruff.toml", "requirements.md"])
def test_files_that_hold_none(path: str) -> None:
    assert not is_pin_file(path)


def test_a_tree(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("redis==4.5.1\n")
    (tmp_path / "notes.txt").write_text("redis==4.5.1\n")
    tree = SourceTree(tmp_path)
    files = tree.files(suffixes=PIN_SUFFIXES)
    (found,) = find_pins(tree, files)
    assert (found.path, found.line) == ("requirements.txt", 1)
    (tmp_path / "requirements.txt").unlink()
    assert find_pins(tree, files) == ()
    assert isinstance(found, Pin)
