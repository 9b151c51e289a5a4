"""The end of a textual report: counts, the score with its formula, what could not be checked."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from carrel.findings import SEVERITIES, Report, Score
from carrel.reporting.product import title
from carrel.reporting.prose import counted, signed, visible

__all__ = ["summary"]

MOST_ROWS: Final = 12


def summary(console: Console, report: Report, *, unseen: int = 0) -> None:
    """Print the summary: a table by rule, the score by package, and totals as the last lines.

    unseen: how many of the findings were not shown one by one.
    """
    if report.findings:
        _by_rule(console, report)
    score = report.summary.score
    if score is not None and score.per_package:
        _by_package(console, score)
    for file in report.summary.unparsable:
        line = f"could not be checked: {visible(file.path)}:{file.line}: {visible(file.message)}"
        console.print(Text(line, style="yellow"), soft_wrap=True)
    for label, value in report.summary.details:
        console.print(Text(f"{visible(label)}: {visible(value)}"))
    if score is not None:
        _score(console, score)
    if unseen:
        console.print(
            Text(f"{counted(unseen, 'finding')} counted by rule alone: `--show info` shows where", style="dim")
        )
    _totals(console, report)


def _by_rule(console: Console, report: Report) -> None:
    costs = {rule.rule: rule.cost for rule in report.summary.score.per_rule} if report.summary.score else {}
    counts = Counter((finding.code, finding.rule, finding.severity) for finding in report.findings)
    rows = sorted(counts.items(), key=lambda row: (SEVERITIES.index(row[0][2]), -row[1], row[0]))
    table = _table("rule", "", "severity", *(("cost",) if costs else ()), "findings")
    for (code, rule, severity), count in rows:
        cost = [f"{costs.get(rule, 0):.1f}"] if costs else []
        table.add_row(visible(code), visible(rule), severity, *cost, f"{count:,}")
    console.print(table)
    console.print()


def _by_package(console: Console, score: Score) -> None:
    worst = sorted(score.per_package, key=lambda one: (one.value, -one.findings, one.package))
    table = _table("package", "score", "lines", "findings")
    for one in worst[:MOST_ROWS]:
        table.add_row(visible(one.package), f"{one.value:.1f}", f"{one.lines:,}", f"{one.findings:,}")
    console.print(table)
    rest = len(worst) - MOST_ROWS
    if rest > 0:
        console.print(Text(f"and {counted(rest, 'package')} with {worst[MOST_ROWS].value:.1f} or more", style="dim"))
    console.print()


def _score(console: Console, score: Score) -> None:
    trend = "" if score.previous is None else f" ({signed(score.value - score.previous)} since the baseline)"
    console.print(Text(f"Score {score.value:.1f} of 100{trend}", style="bold"))
    console.print(Padding(Text(visible(score.formula), style="dim"), (0, 0, 0, 2)))


def _totals(console: Console, report: Report) -> None:
    looked = report.summary
    counts = (
        ", ".join(counted(report.count(severity), severity) for severity in SEVERITIES if severity != "info")
        + f", {report.count('info'):,} info"
    )
    found = f"{counted(len(report.findings), 'finding')} ({counts})" if report.findings else "nothing found"
    scope = f" in {counted(looked.files, 'file')}, {counted(looked.lines, 'line')}" if looked.files else ""
    style = "red" if report.count("error") else "yellow" if report.findings else "green"
    line = Text.assemble((f"{title(report)}: ", "bold"), (found, style), f"{scope}, {looked.seconds:.1f} s")
    console.print(line, soft_wrap=True)
    if looked.baseline is not None:
        known = looked.baseline
        console.print(Text(f"against the baseline: {known.new:,} new, {known.known:,} known, {known.gone:,} gone"))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", show_edge=False)
    for column in columns:
        number = column in {"cost", "score", "lines", "findings"}
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table
