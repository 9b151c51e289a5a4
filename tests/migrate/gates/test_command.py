"""Gate commands are run, measured, and understood by test."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import GateFailedError
from carrel.migrate.gates.command import CommandRunner, reports_tests
from carrel.migrate.gates.measurement import Measurement
from carrel.migrate.recipe import GateCommand
from tests.migrate.project import PYTHON, Said, write

# Without the plugins that happen to be installed: loading them takes seconds.
PYTEST = f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {PYTHON} -m pytest -q -p no:cacheprovider -c /dev/null --rootdir=."


class Bench:
    def __init__(self, directory: Path) -> None:
        self.root = directory / "work tree"
        self.said = Said()
        self.root.mkdir()
        self.runner = CommandRunner(self.root, directory / "check out", directory / "logs", progress=self.said)

    def measure(self, run: str, *, runs: int = 1, seconds: float = 60) -> Measurement:
        return self.runner.measure(self.command(run, seconds), runs=runs, label="baseline")

    def command(self, run: str, seconds: float = 60) -> GateCommand:
        return GateCommand(name="the suite", run=run, timeout_seconds=seconds)

    def problem(self, run: str, *, seconds: float = 60) -> str:
        measurement = self.measure(run, seconds=seconds)
        with pytest.raises(GateFailedError) as caught:
            self.runner.check_usable(self.command(run, seconds), measurement)
        return str(caught.value)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("run", "kind", "reports"),
    [
        ("pytest", "", True),
        ("python -m pytest -q", "", True),
        ("/usr/bin/py.test -q", "", True),
        ("make test", "", False),
        ("make test", "pytest", True),
        ("pytest", "command", False),
        ("./pytest-wrapper.sh", "", False),
        ("npx jest --out={junit}", "", True),
    ],
)
def test_which_commands_are_judged_test_by_test(run: str, kind: str, reports: bool):
    assert reports_tests(GateCommand(name="n", run=run, kind=kind)) is reports  # type: ignore[arg-type]


def test_pytest_reports_its_tests_without_being_asked(bench: Bench) -> None:
    write(bench.root, {"test_a.py": "def test_b(): ...\ndef test_c(): assert 0\n"})
    found = bench.measure(PYTEST, runs=2)
    assert found.tests == {"test_a.py::test_b": "pp", "test_a.py::test_c": "ff"}
    assert [run.exit_code for run in found.runs] == [1, 1]
    assert "1 failed, 1 passed" in Path(found.log).read_text()
    assert bench.said.steps == [f"gate the suite, baseline: run {number} of 2" for number in (1, 2)]
    bench.runner.check_usable(bench.command(PYTEST), found)


def test_options_of_the_user_for_pytest_are_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k b")
    write(bench.root, {"test_a.py": "def test_b(): ...\ndef test_c(): assert 0\n"})
    assert bench.measure(PYTEST).tests == {"test_a.py::test_b": "p"}


def test_placeholders_are_paths_even_with_blanks_in_them(bench: Bench) -> None:
    run = "echo '<testsuite><testcase name=\"t\"/></testsuite>' > {junit}; echo {root} {checkout} ${HOME:+home}"
    found = bench.measure(run)
    assert found.tests == {"t": "p"}
    assert Path(found.log).read_text() == f"{bench.root} {bench.root.with_name('check out')} home\n"
    assert found.command == run


def test_the_worktrees_code_is_imported_and_leaves_no_byte_code(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = bench.root.parent / "installed"
    write(elsewhere, {"booth.py": "place = 'checkout'"})
    write(bench.root, {"src/booth.py": "place = 'worktree'"})
    monkeypatch.setenv("PYTHONPATH", str(elsewhere))
    found = bench.measure(f"cd / && {PYTHON} -c 'import booth; print(booth.place)'")
    assert Path(found.log).read_text() == "worktree\n"
    assert not list(bench.root.rglob("__pycache__"))


def test_what_a_hook_has_set_does_not_reach_the_command(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert Path(bench.measure("echo [$GIT_DIR]").log).read_text() == "[]\n"


def test_a_command_that_does_not_end_is_ended_and_not_run_again(bench: Bench) -> None:
    found = bench.measure("echo began; sleep 60", runs=3, seconds=0.2)
    assert [run.timed_out for run in found.runs] == [True]
    problem = bench.problem("sleep 60", seconds=0.2)
    assert "does not end within 0.2 s (timeout_seconds)" in problem


def test_a_baseline_that_fails_says_so_with_the_end_of_the_output(bench: Bench) -> None:
    problem = bench.problem("echo nothing works; exit 3")
    assert problem.startswith("gate 'the suite': exits with 3 before anything has changed; its output (")
    assert "nothing works" in problem


def test_a_baseline_without_a_report_says_so(bench: Bench) -> None:
    assert "exits with 4 and writes no JUnit XML report" in bench.problem(f"{PYTEST} --no-such-option")


def test_a_report_of_an_earlier_run_does_not_count(bench: Bench) -> None:
    assert bench.measure("echo '<testsuite/>' > {junit}").tests == {}
    assert bench.measure("true {junit}").tests is None


def test_a_baseline_that_works_now_and_then_can_be_used(bench: Bench) -> None:
    run = "test -f ran || { touch ran; exit 1; }"
    bench.runner.check_usable(bench.command(run), bench.measure(run, runs=2))
