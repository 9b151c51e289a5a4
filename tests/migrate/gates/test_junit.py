"""Tests and outcomes from JUnit XML."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from carrel.migrate.gates.junit import read_report

CODE = """
import pytest

@pytest.fixture
def broken():
    yield
    raise RuntimeError

class TestBooth:
    class TestDoor:
        @pytest.mark.parametrize("kind", ["a b", "c"])
        def test_opens(self, kind): ...

def test_fails(): assert 0
def test_error(missing): ...
def test_cleanup(broken): ...
def test_skipped(): pytest.skip()
@pytest.mark.xfail
def test_expected(): assert 0
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_ids_are_those_that_pytest_takes_and_outcomes_are_the_worst(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    written(tmp_path / "sub" / "test_booth.py", CODE)
    report = tmp_path / "report.xml"
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null")
    options = (f"--rootdir={tmp_path}", f"--junit-xml={report}", "-o", "junit_family=xunit1", "sub")
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run((*command, *options), cwd=tmp_path, env=environment, capture_output=True, check=False)
    found = read_report(report)
    assert found == {
        "sub/test_booth.py::TestBooth::TestDoor::test_opens[a b]": "p",
        "sub/test_booth.py::TestBooth::TestDoor::test_opens[c]": "p",
        "sub/test_booth.py::test_fails": "f",
        "sub/test_booth.py::test_error": "f",
        "sub/test_booth.py::test_cleanup": "f",
        "sub/test_booth.py::test_skipped": "s",
        "sub/test_booth.py::test_expected": "s",
    }


def test_a_report_without_files_is_read_too(tmp_path: Path) -> None:
    text = '<testsuites><testsuite><testcase classname="a.B" name="c"/><testcase name="d"/></testsuite></testsuites>'
    assert read_report(written(tmp_path / "r.xml", text)) == {"a.B::c": "p", "d": "p"}


@pytest.mark.parametrize("text", ["", "<testsuite><testcase name='a'/>", "no XML"])
def test_half_a_report_is_none(tmp_path: Path, text: str) -> None:
    assert read_report(written(tmp_path / "r.xml", text)) is None


def test_no_report_is_none(tmp_path: Path) -> None:
    assert read_report(tmp_path / "r.xml") is None
