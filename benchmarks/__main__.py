"""`python -m benchmarks [NAME …] [--quick] [--json FILE]`: measure, print a table, keep the figures as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.compat_cost import CompatCost
from benchmarks.delivery import Delivery
from benchmarks.figures import Benchmark, Figure, Outcome, Scale
from benchmarks.http_runs import HttpRuns
from benchmarks.machine import describe_machine, one_line
from benchmarks.memory import Memory
from benchmarks.reconnects import Reconnects
from benchmarks.run_cost import RunCost

__all__ = ["BENCHMARKS", "main"]

BENCHMARKS: tuple[Benchmark, ...] = (RunCost(), CompatCost(), HttpRuns(), Delivery(), Reconnects(), Memory())
RESULTS = Path(__file__).parent / "results"
MISSED = 1
"""The exit code when a bar was missed; 0 when all were met, 2 when something could not be run."""


def main(arguments: Sequence[str] | None = None, *, console: Console | None = None) -> int:
    options = _parse(arguments)
    console = console or Console()
    scale: Scale = options.scale
    machine = describe_machine()
    console.print(one_line(machine), style="dim")
    found: dict[str, Outcome] = {}
    for benchmark in (one for one in BENCHMARKS if not options.names or one.name in options.names):
        console.print(f"measuring {benchmark.name} ({scale}) …", style="dim")
        found[benchmark.name] = benchmark.measure(scale, peers=not options.no_peers)
        _show(console, benchmark, found[benchmark.name])
        _write(options.json, {"machine": machine, "scale": scale, "benchmarks": _as_json(found)})
    console.print(f"figures are in {options.json}", style="dim")
    missed = [figure for outcome in found.values() for figure in outcome.figures if figure.met is False]
    return MISSED if missed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = [benchmark.name for benchmark in BENCHMARKS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to measure: {', '.join(names)}; all without")
    parser.add_argument("--quick", action="store_const", dest="scale", const="quick", default="full", help="minutes")
    parser.add_argument("--tiny", action="store_const", dest="scale", const="tiny", help="only whether they work")
    parser.add_argument("--no-peers", action="store_true", help="install and measure no other product")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    parser.add_argument("--json", type=Path, default=RESULTS / f"{stamp}.json", metavar="FILE", help="where to keep it")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    return options


def _as_json(found: dict[str, Outcome]) -> dict[str, object]:
    return {
        benchmark.name: {"question": benchmark.question, **found[benchmark.name].as_json()}
        for benchmark in BENCHMARKS
        if benchmark.name in found
    }


def _write(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _show(console: Console, benchmark: Benchmark, outcome: Outcome) -> None:
    table = Table(title=f"{benchmark.name}: {benchmark.question}", title_justify="left", title_style="bold")
    for column in ("", "median", "lowest", "highest"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_column("unit")
    table.add_column("bar")
    for figure in outcome.figures:
        numbers = (figure.median, min(figure.values), max(figure.values))
        table.add_row(figure.name, *(_number(number) for number in numbers), figure.unit, _bar(figure))
    console.print(table)
    for note in outcome.notes:
        console.print(f"  {note}", style="bold red" if note.startswith("LEFT OUT") else "dim", markup=False)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.3g}"


def _bar(figure: Figure) -> str:
    if figure.bar is None:
        return ""
    return f"{figure.bar.kind} {figure.bar.value:g}: " + ("[green]met[/]" if figure.met else "[bold red]MISSED[/]")


if __name__ == "__main__":
    sys.exit(main())
