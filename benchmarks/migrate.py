"""`carrel migrate` beside other tools, on one code base, in one run.

    python -m benchmarks.migrate TREE [--recipe FILE] [--rounds N] [--no-peers] [--json FILE]

The tree is a git repository; everything happens in a clone of it. Every command is a process of its own: its time, the
processor time of it and its children, and the peak of the memory that they hold together.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, Outcome, at_least, at_most
from benchmarks.machine import describe_machine, one_line
from benchmarks.peers import PeerMissingError, peer_environment
from carrel.migrate import Recipe, find_references, read_recipe

__all__ = ["Run", "main", "measured"]

ROOT: Final = Path(__file__).parent.parent
RESULTS: Final = Path(__file__).parent / "results"
MISSED: Final = 1
_FOUND: Final = (0, 1)
"""The exit codes of a search that could run."""
_EVERY: Final = 0.02
"""Seconds between two looks at the memory."""
_INDEX: Final = (
    "import sys; from carrel.migrate.recipe import read_recipe; "
    "from carrel.migrate.references import read_import_graph; "
    "read_import_graph(sys.argv[1], read_recipe(sys.argv[2]))"
)
_EDIT: Final = (
    "import pathlib, sys; from carrel.migrate import Rewriter, find_references, read_recipe; "
    "root, recipe = pathlib.Path(sys.argv[1]), read_recipe(sys.argv[2]); "
    "outcomes = list(Rewriter(recipe, 1)(root, find_references(root, recipe).references)); "
    "print(sum(type(one).__name__ == 'Edited' for one in outcomes), len(outcomes))"
)


@dataclass(frozen=True, slots=True)
class Run:
    """What one command took."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def main(arguments: Sequence[str] | None = None, *, console: Console | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.migrate", description=__doc__)
    parser.add_argument("tree", type=Path, help="a git repository")
    parser.add_argument("--recipe", type=Path, default=ROOT / "recipes" / "execution_engine.toml")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true", help="install and measure no other tool")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    parser.add_argument("--json", type=Path, default=RESULTS / f"migrate-{stamp}.json")
    options = parser.parse_args(arguments)
    console = console or Console()
    machine = describe_machine()
    console.print(one_line(machine), style="dim")
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as place:
        tree = Path(place) / "tree"
        subprocess.run(("git", "clone", "--quiet", "--local", str(options.tree.resolve()), str(tree)), check=True)
        bench = _Bench(tree, options.recipe.resolve(), Path(place), options.rounds, console)
        bench.carrel()
        if not options.no_peers:
            bench.peers()
    outcome = Outcome(tuple(bench.figures), tuple(bench.notes))
    _show(console, outcome)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "tree": str(options.tree), "recipe": str(options.recipe), **outcome.as_json()}
    options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    console.print(f"figures are in {options.json}", style="dim")
    return MISSED if any(figure.met is False for figure in outcome.figures) else 0


class _Bench:
    def __init__(self, tree: Path, recipe: Path, place: Path, rounds: int, console: Console) -> None:
        self._tree = tree
        self._recipe_path = recipe
        self._recipe: Recipe = read_recipe(recipe)
        self._place = place
        self._rounds = rounds
        self._console = console
        self.figures: list[Figure] = []
        self.notes: list[str] = []
        scan = find_references(tree, self._recipe, cache=False)
        self._files = sorted({one.path for one in scan.references if one.path.endswith(".py")})
        self.notes.append(
            f"{scan.python_files} Python files; {len(scan.references)} references in {len(self._files)} of them; "
            f"{scan.mentions} mentions in {scan.mention_files} files"
        )

        homes = {
            name.rpartition(".")[0].replace(".", "/") for one in self._recipe.symbols for name in (one.old, one.new)
        }
        self._homes = [
            path for home in sorted(homes) for path in (f"{home}.py", f"{home}/__init__.py") if (tree / path).is_file()
        ]

    def carrel(self) -> None:
        scan = self._command("scan", "--format", "json", "--output", os.devnull)
        preview = self._command("apply", "--dry-run")
        index = (sys.executable, "-c", _INDEX, str(self._tree), str(self._recipe_path))
        self._measure("carrel: find, cold", scan, before=self._forget, seconds=2.0, megabytes=100)
        self._measure("carrel: find, warm", scan, seconds=0.3)
        self._measure("carrel: find + edit + verify, cold", preview, before=self._forget, seconds=3.5)
        self._measure("carrel: whole index, cold", index, before=self._forget, seconds=13.0)
        self._measure("carrel: whole index, warm", index, seconds=1.0)

    def peers(self) -> None:
        old = self._recipe.symbols[0].old
        self._ripgrep(old)
        for name, peer in (
            ("ruff", self._ruff), ("semgrep", self._semgrep), ("libcst", self._libcst),
        ):  # fmt: skip
            try:
                peer(peer_environment(name) / "bin", old)
            except PeerMissingError as error:
                self.notes.append(f"LEFT OUT {name}: {error}")

    def _ripgrep(self, old: str) -> None:
        program = shutil.which("rg")
        if program is None:
            self.notes.append("LEFT OUT ripgrep: there is no `rg` here; install it with: apt-get install ripgrep")
            return
        name = old.rpartition(".")[2]
        command = (program, "--count-matches", "--no-filename", "--fixed-strings", name, str(self._tree))
        runs = self._measure("ripgrep: find (text)", command)
        self.notes.append(f"ripgrep: {sum(int(line) for line in runs[-1].output.split())} matches of `{name}`")

    def _ruff(self, programs: Path, old: str) -> None:
        banned = f'lint.flake8-tidy-imports.banned-api."{old}".msg = "moved"'
        command = (
            str(programs / "ruff"), "check", "--isolated", "--no-cache", "--select", "TID251", "--config", banned,
            "--output-format", "concise", "--quiet", str(self._tree),
        )  # fmt: skip
        runs = self._measure("ruff TID251: find (imports)", command)
        self.notes.append(f"ruff: {runs[-1].output.count('TID251')} findings")

    def _semgrep(self, programs: Path, old: str) -> None:
        rules = self._place / "rules.yaml"
        rule = {"id": "moved", "languages": ["python"], "severity": "INFO", "message": "moved", "pattern": old}
        # Its own list of what to leave out would leave out the tests.
        (self._tree / ".semgrepignore").write_text("", encoding="utf-8")
        rules.write_text(json.dumps({"rules": [rule]}), encoding="utf-8")
        command = (
            str(programs / "semgrep"), "scan", "--config", str(rules), "--metrics", "off", "--disable-version-check",
            "--json", "--quiet", "--jobs", "2", "--no-git-ignore", str(self._tree),
        )  # fmt: skip
        path = f"{programs}:{os.environ['PATH']}"
        runs = self._measure("semgrep: find (uses)", command, environment={"PATH": path})
        self.notes.append(f"semgrep: {len(json.loads(runs[-1].output)['results'])} findings")

    def _libcst(self, programs: Path, old: str) -> None:
        """The same files for both: those that hold references. What each has to read beside them counts, too."""
        copy = self._place / "copy"
        new = self._recipe.symbols[0].new
        command = (
            str(programs / "python"), "-m", "libcst.tool", "codemod", "rename.RenameCommand",
            f"--old_name={old}", f"--new_name={':'.join(new.rsplit('.', 1))}", "--no-format", "--hide-progress",
            "--jobs", "1", *(str(copy / path) for path in self._files),
        )  # fmt: skip

        def fresh() -> None:
            shutil.rmtree(copy, ignore_errors=True)
            for path in {*self._files, *self._homes}:
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._tree / path, copy / path)
            (copy / ".libcst.codemod.yaml").write_text(
                "generated_code_marker: '@generated'\nformatter: ['cat']\nblacklist_patterns: []\n"
                "modules: [libcst.codemod.commands]\nrepo_root: .\n",
                encoding="utf-8",
            )

        fresh()
        theirs = self._measure("LibCST rename: edit", command, before=fresh, directory=copy)
        ours = (sys.executable, "-c", _EDIT, str(copy), str(self._recipe_path))
        mine = self._measure("carrel: find + edit + verify, the same files", ours, before=fresh)
        edited, files = mine[-1].output.split()
        self.notes.append(f"carrel edits {edited} of {files} files, LibCST is given {len(self._files)}")
        ratios = tuple(one.cpu_seconds / other.cpu_seconds for one, other in zip(theirs, mine, strict=True))
        self.figures.append(Figure("LibCST rename / carrel, processor time", "times", ratios, at_least(40)))

    def _command(self, name: str, *more: str) -> tuple[str, ...]:
        given = ("--recipe", str(self._recipe_path), "--root", str(self._tree))
        return (sys.executable, "-m", "carrel", "migrate", name, *given, *more)

    def _forget(self) -> None:
        shutil.rmtree(self._tree / ".carrel", ignore_errors=True)

    def _measure(
        self,
        name: str,
        command: Sequence[str],
        *,
        before: Callable[[], None] = lambda: None,
        seconds: float | None = None,
        megabytes: float | None = None,
        directory: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> list[Run]:
        self._console.print(f"measuring {name} ...", style="dim")
        runs = []
        for _ in range(self._rounds):
            before()
            runs.append(measured(command, directory or ROOT, environment))
        bar = None if seconds is None else at_most(seconds)
        self.figures += [
            Figure(name, "s", tuple(one.seconds for one in runs), bar),
            Figure(f"{name}: processor", "s", tuple(one.cpu_seconds for one in runs)),
            Figure(f"{name}: memory", "MB", tuple(one.peak_bytes / 1e6 for one in runs),
                   None if megabytes is None else at_most(megabytes)),
        ]  # fmt: skip
        return runs


def measured(command: Sequence[str], directory: Path, environment: dict[str, str] | None = None) -> Run:
    """Run a command to its end; raises `RuntimeError` with its last words when it could not run."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
            env={**os.environ, **(environment or {})}, start_new_session=True,
        )  # fmt: skip
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        held = max(peak.stop(), usage.ru_maxrss * 1024)
        output.seek(0)
        errors.seek(0)
        if process.returncode not in _FOUND:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {errors.read()[-800:].decode()}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, held, output.read().decode(errors="replace"))


class _Peak:
    """The most memory that a session's processes hold together: shared pages are counted once."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._ended = threading.Event()
        self._most = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY):
            members = [path for path in Path("/proc").iterdir() if path.name.isdigit() and self._is_member(path)]
            # One process is in the exact figure that the system keeps of it.
            if len(members) > 1:
                self._most = max(self._most, sum(_proportional(path) for path in members))

    def _is_member(self, process: Path) -> bool:
        try:
            return os.getsid(int(process.name)) == self._session
        except OSError:
            return False


def _proportional(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _show(console: Console, outcome: Outcome) -> None:
    table = Table(title="migrate", title_justify="left", title_style="bold")
    for column in ("", "median", "lowest", "highest", "unit", "bar"):
        table.add_column(column, justify="right" if column in ("median", "lowest", "highest") else "left")
    for figure in outcome.figures:
        numbers = (f"{one:,.3g}" for one in (figure.median, min(figure.values), max(figure.values)))
        bar = "" if figure.bar is None else f"{figure.bar.kind} {figure.bar.value:g}: "
        verdict = "" if figure.met is None else "[green]met[/]" if figure.met else "[bold red]MISSED[/]"
        table.add_row(figure.name, *numbers, figure.unit, bar + verdict)
    console.print(table)
    for note in outcome.notes:
        console.print(f"  {note}", style="bold red" if note.startswith("LEFT OUT") else "dim", markup=False)


if __name__ == "__main__":
    sys.exit(main())
