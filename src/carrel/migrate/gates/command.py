"""Runs the gate commands of a recipe."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from carrel.errors import GateFailedError
from carrel.migrate.gates import launcher
from carrel.migrate.gates.junit import read_report
from carrel.migrate.gates.measurement import CommandRun, Measurement, TestOutcome, combined
from carrel.migrate.git import clean_environment
from carrel.migrate.recipe import GateCommand

__all__ = ["CommandRunner", "reports_tests"]

_PYTEST: Final = re.compile(r"(?<![\w.-])(?:pytest|py\.test)(?![\w.-])")
_JUNIT: Final = "{junit}"
_LINES: Final = 15
"""Lines of a command's output that a message shows."""


def reports_tests(command: GateCommand) -> bool:
    """Whether the command is judged test by test: it runs pytest, or writes a report where `{junit}` stands."""
    if _JUNIT in command.run:
        return True
    return command.kind == "pytest" or (command.kind == "" and _PYTEST.search(command.run) is not None)


class CommandRunner:
    """Runs commands with `/bin/sh` in `root`, where the phases are applied.

    `{junit}` in a command is the file for its JUnit XML report, `{root}` is `root`, and `{checkout}` the directory that
    the user works in: what git ignores, such as a virtual environment, is only there. A command that runs pytest and
    has no `{junit}` is asked for the report through `PYTEST_ADDOPTS`. `PYTHONPATH` begins with `root` and its `src`,
    so that an editable installation of the checkout does not hide what is to be tested; no byte code is written.

    `logs` is where the output of the commands is kept.
    """

    def __init__(self, root: Path, checkout: Path, logs: Path, *, progress: Callable[[str], None]) -> None:
        self._root = root
        self._checkout = checkout
        self._logs = logs
        self._progress = progress

    def measure(self, command: GateCommand, *, runs: int, label: str) -> Measurement:
        """Run a command several times. `label` says of what, for the log files and the progress."""
        self._logs.mkdir(parents=True, exist_ok=True)
        stem = self._logs / re.sub(r"[^\w.-]+", "-", f"{label}-{command.name}")
        ended: list[CommandRun] = []
        reports: list[dict[str, TestOutcome] | None] = []
        log = stem.with_name(f"{stem.name}.log")
        for number in range(1, runs + 1):
            self._progress(f"gate {command.name}, {label}: run {number} of {runs}")
            report = stem.with_name(f"{stem.name}.xml")
            report.unlink(missing_ok=True)
            ended.append(self._run(command, report, log))
            reports.append(read_report(report) if reports_tests(command) else None)
            if ended[-1].timed_out:
                break
        return Measurement(command=command.run, runs=tuple(ended), tests=combined(reports), log=str(log))

    def check_usable(self, command: GateCommand, baseline: Measurement) -> None:
        """Raise `GateFailedError` for a baseline that no later measurement could be compared with."""
        last = baseline.runs[-1]
        if last.timed_out:
            raise GateFailedError(
                command.name,
                f"does not end within {command.timeout_seconds:g} s (timeout_seconds){_tail(baseline.log)}",
            )
        if reports_tests(command) and baseline.tests is None:
            raise GateFailedError(
                command.name, f"exits with {last.exit_code} and writes no JUnit XML report{_tail(baseline.log)}"
            )
        if not reports_tests(command) and not any(run.exit_code == 0 for run in baseline.runs):
            raise GateFailedError(
                command.name, f"exits with {last.exit_code} before anything has changed{_tail(baseline.log)}"
            )

    def _run(self, command: GateCommand, report: Path, log: Path) -> CommandRun:
        places = {_JUNIT: report, "{root}": self._root, "{checkout}": self._checkout}
        text = command.run
        for placeholder, path in places.items():
            text = text.replace(placeholder, shlex.quote(str(path)))
        result = report.with_suffix(".json")
        result.unlink(missing_ok=True)
        script = (sys.executable, "-I", "-S", str(Path(launcher.__file__)), str(result), text)
        with (
            log.open("wb") as output,
            subprocess.Popen(  # noqa: S603 - the recipe's own command, which is what the user wants to run
                script,
                cwd=self._root,
                env=self._environment(command, report),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt is for carrel, which then ends the command by closing the pipe
            ) as process,
        ):
            try:
                process.wait(command.timeout_seconds)
                timed_out = False
            except subprocess.TimeoutExpired:
                timed_out = True
        try:
            found = msgspec.json.decode(result.read_bytes(), type=CommandRun)
        except (OSError, msgspec.MsgspecError):
            raise GateFailedError(command.name, f"cannot be run{_tail(str(log))}") from None
        return msgspec.structs.replace(found, timed_out=timed_out)

    def _environment(self, command: GateCommand, report: Path) -> dict[str, str]:
        environment = clean_environment()
        sources = [path for path in (self._root / "src", self._root) if path.is_dir()]
        before = os.environ.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([*map(str, sources), *([before] if before else [])])
        # A file that is edited and taken back within one second, with the same size, would run as its old byte code.
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        if reports_tests(command) and _JUNIT not in command.run:
            wanted = f"--junit-xml={shlex.quote(str(report))} -o junit_family=xunit1"
            environment["PYTEST_ADDOPTS"] = f"{environment.get('PYTEST_ADDOPTS', '')} {wanted}".strip()
        return environment


def _tail(log: str) -> str:
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    last = "\n".join(lines[-_LINES:]).strip()
    return f"; its output ({log}) ends with:\n{last}\n" if last else f"; its output is in {log}"
