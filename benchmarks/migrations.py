"""Invented migrations of popular classes in large packages from PyPI, with the packages' own tests as gates.

    python -m benchmarks.migrations [NAME ...] [--directory DIRECTORY] [--tests ARGUMENTS]

Each package is fetched as a source distribution with its tests. One of its modules gets a new name, and where the case
says so its class too; the old module stays as an alias. Then every phase of the recipe is applied behind the gates, the
result is verified, the old module is cleaned up, and the tests run once more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from benchmarks.machine import describe_machine, one_line
from carrel.migrate import (
    Migration,
    PhaseReverted,
    Recipe,
    Removal,
    Rewriter,
    clean_up,
    find_references,
    parse_recipe,
    verify_migration,
)
from carrel.migrate.records import LeftFile

__all__ = ["CASES", "Case", "Tried", "main"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One class that moves."""

    distribution: str
    version: str
    requirements: tuple[str, ...]
    """What its tests need."""
    old: str
    """Path of the module that gets a new name."""
    new: str
    symbols: Mapping[str, str]
    """Classes of the module: old name -> new name."""
    root: str = "."
    """The directory that modules are imported from."""
    phases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Name -> patterns of paths."""
    tests: str = ""
    """Arguments of pytest."""

    def module(self, path: str) -> str:
        return path.removeprefix(f"{self.root}/").removesuffix(".py").replace("/", ".")

    def recipe(self, python: Path) -> Recipe:
        old, new = self.module(self.old), self.module(self.new)
        return parse_recipe(
            json_as_toml(
                {
                    "schema_version": 1,
                    "name": self.distribution,
                    "modules": [{"old": old, "new": new}],
                    "symbols": [{"old": f"{old}.{a}", "new": f"{new}.{b}"} for a, b in self.symbols.items()],
                    "phases": [{"name": name, "paths": list(paths)} for name, paths in self.phases.items()],
                    "gates": {
                        "runs": 1,
                        "triggers": ["failed_test", "failed_command", "unparsable", "import_cycle", "references"],
                        "commands": [{"name": "tests", "run": self.command(python), "kind": "pytest"}],
                    },
                    "cleanup": {"remove": [old]},
                }
            )
        )

    def command(self, python: Path) -> str:
        return f"env PYTHONPATH={self.root} {python} -m pytest -q -p no:cacheprovider {self.tests}"


CASES: Final = (
    Case(
        distribution="werkzeug",
        version="3.1.3",
        requirements=("pytest", "pytest-timeout", "ephemeral-port-reserve", "markupsafe", "cryptography", "watchdog"),
        root="src",
        old="src/werkzeug/datastructures/headers.py",
        new="src/werkzeug/datastructures/field_map.py",
        symbols={"Headers": "FieldMap"},
        phases={
            "package": ("src/werkzeug/*.py", "src/werkzeug/wrappers/**", "src/werkzeug/middleware/**"),
            "data structures": ("src/**",),
            "tests": ("**/*.py",),
        },
        tests="-m 'not dev_server' tests",
    ),
    Case(
        distribution="networkx",
        version="3.4.2",
        requirements=("pytest", "numpy"),
        old="networkx/classes/graph.py",
        new="networkx/classes/undirected.py",
        symbols={"Graph": "Graph"},
        phases={
            "algorithms": ("networkx/algorithms/**",),
            "package": ("networkx/**",),
            "rest": ("**/*.py",),
        },
        tests="networkx",
    ),
)


@dataclass(kw_only=True)
class Tried:
    """What came of one case."""

    case: str
    files: int = 0
    lines: int = 0
    references: int = 0
    reference_files: int = 0
    find_seconds: float = 0.0
    find_cpu_seconds: float = 0.0
    edit_seconds: float = 0.0
    edit_cpu_seconds: float = 0.0
    """Of this process and its children, as `find_cpu_seconds`: what else the machine does hardly shows in it."""
    edits: int = 0
    edited_files: int = 0
    phases: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    verified: dict[str, bool] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    tests_before: str = ""
    tests_after: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.migrations")
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(case.distribution for case in CASES)}")
    parser.add_argument("--directory", type=Path, help="where to work; a temporary directory if not given")
    parser.add_argument("--tests", help="other arguments of pytest than the case has")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(arguments)
    machine = describe_machine()
    print(one_line(machine))
    found = []
    with tempfile.TemporaryDirectory(prefix="carrel-tried-") as temporary:
        for case in CASES:
            if not options.names or case.distribution in options.names:
                chosen = replace(case, tests=options.tests or case.tests)
                found.append(attempt(chosen, (options.directory or Path(temporary)) / case.distribution))
                print(json.dumps(asdict(found[-1]), indent=2))
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "cases": [asdict(one) for one in found]}, indent=2))
    return 0 if all(one.tests_before == one.tests_after and all(one.verified.values()) for one in found) else 1


def attempt(case: Case, directory: Path) -> Tried:
    """Carry out one case in a new directory."""
    directory.mkdir(parents=True, exist_ok=True)
    python = environment(case, directory)
    root = fetch(case, directory, python)
    move(case, root)
    recipe = case.recipe(python)
    tried = Tried(case=f"{case.distribution} {case.version}: {case.module(case.old)} -> {case.module(case.new)}")
    tried.tests_before = tests(case, root, python)
    used = cpu_seconds()
    scan = find_references(root, recipe, cache=False)
    tried.files, tried.references, tried.find_seconds = scan.python_files, len(scan.references), round(scan.seconds, 2)
    tried.find_cpu_seconds = round(cpu_seconds() - used, 2)
    tried.lines = sum(path.read_bytes().count(b"\n") for path in root.rglob("*.py"))
    tried.reference_files = len({one.path for one in scan.references})
    rewriter = Rewriter(recipe)
    begun, used = time.perf_counter(), cpu_seconds()
    list(rewriter(root, scan.references))
    tried.edit_seconds = round(time.perf_counter() - begun, 2)
    tried.edit_cpu_seconds = round(cpu_seconds() - used, 2)
    migration = Migration(recipe, root, find=lambda place: find_references(place, recipe).references, rewrite=rewriter)
    for outcome in migration.apply():
        if isinstance(outcome, PhaseReverted):
            tried.phases[outcome.phase] = f"taken back: {'; '.join(one.message for one in outcome.fired)}"
            tried.problems += [detail for one in outcome.fired for detail in one.details]
            return tried
        tried.phases[outcome.phase] = f"{outcome.edits} edits in {outcome.files} files"
        tried.edits += outcome.edits
        tried.edited_files += outcome.files
        tried.left += [told(one) for one in outcome.left]
    place = migration.place or root
    for removal in clean_up(place, recipe):
        if isinstance(removal, Removal) and removal.after is None:
            (place / removal.path).unlink()
            tried.removed.append(removal.path)
        else:
            tried.problems.append(str(removal))
    verification = verify_migration(place, recipe)
    tried.verified = {check.name: check.holds for check in verification.checks}
    tried.problems += [problem for check in verification.checks for problem in check.problems]
    tried.tests_after = tests(case, place, python)
    return tried


def cpu_seconds() -> float:
    """What this process and the children that it has waited for have used of the processors."""
    return sum(os.times()[:4])


def fetch(case: Case, directory: Path, python: Path) -> Path:
    """The source distribution as a git repository."""
    wanted = f"{case.distribution}=={case.version}"
    run(directory, str(python), "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", wanted)
    archive = next(directory.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(directory, filter="data")
    root = directory / archive.name.removesuffix(".tar.gz")
    run(root, "git", "init", "-q", "-b", "main")
    commit(root, "Begin")
    return root


def environment(case: Case, directory: Path) -> Path:
    """A Python with what the tests need, and without the package itself."""
    run(directory, sys.executable, "-m", "venv", "environment")
    python = (directory / "environment/bin/python").absolute()
    run(directory, str(python), "-m", "pip", "install", "-q", *case.requirements)
    return python


def move(case: Case, root: Path) -> None:
    """Give the module its new name, and make the old one an alias of it."""
    old, new = root / case.old, root / case.new
    text = old.read_text(encoding="utf-8")
    names = re.findall(r"^(?:class|def) (\w+)", text, re.MULTILINE)
    for before, after in case.symbols.items():
        text = re.sub(rf"(?<![\w.\"']){before}(?![\w\"'])", after, text)
    new.write_text(text, encoding="utf-8")
    package = case.module(case.new)
    lines = [f"from {package} import {case.symbols.get(one, one)} as {one}\n" for one in names]
    old.write_text("".join(lines), encoding="utf-8")
    commit(root, "Move")


def tests(case: Case, root: Path, python: Path) -> str:
    """How many tests pass, fail and are skipped."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "tests.xml"
        command = f"{case.command(python)} --junitxml {report}"
        subprocess.run(command, shell=True, cwd=root, capture_output=True, check=False)
        suite = next(ET.parse(report).getroot().iter("testsuite"))
    total, failed, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "skipped"))
    errors = int(suite.get("errors", 0))
    return f"{total - failed - errors - skipped} passed, {failed + errors} failed, {skipped} skipped"


def commit(root: Path, message: str) -> None:
    run(root, "git", "add", "-A")
    run(root, "git", "-c", "user.name=carrel", "-c", "user.email=carrel@example.org", "commit", "-q", "-m", message)


def run(directory: Path, *command: str) -> None:
    subprocess.run(command, cwd=directory, check=True)


def told(left: LeftFile) -> str:
    return f"{left.path}:{left.line}: {left.reason}"


def json_as_toml(data: Mapping[str, object]) -> str:
    """A recipe as TOML: inline tables throughout."""
    return "".join(f"{key} = {inline(value)}\n" for key, value in data.items())


def inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {inline(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(inline(one) for one in value) + "]"
    return json.dumps(value)


if __name__ == "__main__":
    sys.exit(main())
