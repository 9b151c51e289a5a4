"""`carrel audit`: where can one user's state reach another?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from carrel.cli.output import deliver, reading, say, table
from carrel.errors import SettingsError

if TYPE_CHECKING:
    from carrel.audit.settings import AuditSettings
    from carrel.findings import Report, Severity

__all__ = ["audit"]


@click.command(short_help="Find where one user's state can reach another.")
@click.argument("path", type=click.Path(path_type=Path), default=Path(), metavar="[DIRECTORY]")
@click.option(
    "--select",
    multiple=True,
    metavar="RULE",
    help="Check only this rule, code or beginning of codes (CAR0); may be repeated.",
)
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave this rule out; may be repeated.")
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Leave out paths like this (vendor/*); may be repeated."
)
@click.option("--tests/--no-tests", default=None, help="Look at tests too.")
@click.option(
    "--strict/--no-strict",
    default=None,
    help="Say leaks in an application (20 entry points or more) as loud as elsewhere, the doubtful ones too.",
)
@click.option("--fail-on", metavar="SEVERITY", help="Exit with 1 from this severity on: error, warning, info.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Findings that are known: only new ones count for the exit code.",
)
@click.option("--write-baseline", is_flag=True, help="Write the findings to the baseline file, and exit with 0.")
@click.option(
    "--format", "format_name", default="text", metavar="FORMAT", help="text, json, sarif, junit, markdown or html."
)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report here, not to standard output."
)
@click.option("--group", default="file", metavar="file|rule", help="How the text report is grouped.")
@click.option(
    "--show",
    metavar="SEVERITY",
    help="Findings from this severity on are shown in the text report, the others counted by rule. "
    "[default: warning, or that of --fail-on]",
)
@click.option("--diff", is_flag=True, help="Show the fixes that are safe as unified diffs.")
@click.option(
    "--jobs", type=click.IntRange(min=0), default=0, metavar="N", help="Processes that read; 0 is one per processor."
)
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    metavar="DIRECTORY",
    help="Where facts are kept between runs; .carrel if not given.",
)
@click.option("--no-cache", is_flag=True, help="Read everything anew, and keep nothing.")
@click.option("--rules", is_flag=True, help="List the rules, and check nothing.")
@click.option("--explain", metavar="RULE", help="Say what a rule finds and why it matters, and check nothing.")
def audit(
    path: Path,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    exclude: tuple[str, ...],
    tests: bool | None,
    strict: bool | None,
    fail_on: str | None,
    baseline: Path | None,
    write_baseline: bool,
    format_name: str,
    output: Path | None,
    group: str,
    show: str | None,
    diff: bool,
    jobs: int,
    cache_dir: Path | None,
    no_cache: bool,
    rules: bool,
    explain: str | None,
) -> None:
    """Find where one user's state can reach another, by reading the source.

    \b
    carrel audit                              check the current directory
    carrel audit src --select CAR005          one rule only
    carrel audit --write-baseline --baseline audit.json
                                              take what there is as known ...
    carrel audit --baseline audit.json        ... and fail on what is new
    carrel audit --format sarif --output audit.sarif
                                              for code scanning
    carrel audit --explain CAR005             what a rule finds, and what to do

    \b
    A place that is safe for a reason that the tool cannot see:
        cache[key] = plan  # carrel: ignore[module-container] plans are the same for all users

    \b
    Settings stand in pyproject.toml, with the names of the options:
        [tool.carrel.audit]
        ignore = ["CAR103"]
        exclude = ["migrations"]
        fail-on = "warning"
        baseline = "audit.json"

    Exits with 0 when there is nothing at or above --fail-on, 1 when there is, 2 when it could not run.
    """
    from carrel.audit.baseline import read_baseline
    from carrel.audit.baseline import write_baseline as write
    from carrel.audit.runner import audit as check
    from carrel.audit.settings import read_settings

    if rules:
        _list_rules()
        return
    if explain is not None:
        _explain(explain)
        return
    root = path.resolve()
    settings, home = read_settings(root)
    settings = _with_options(settings, select, ignore, exclude, tests, strict, fail_on)
    # What fails the build is never left out.
    shown = ("info" if settings.fail_on == "info" else "warning") if show is None else _severity("show", show)
    known = baseline or (home / settings.baseline if settings.baseline else None)
    if write_baseline and known is None:
        raise SettingsError("baseline", "where should it be written? Name a file with --baseline FILE")
    with reading() as progress:
        report = check(
            root,
            settings,
            baseline=read_baseline(known) if known is not None and not write_baseline else None,
            cache=None if no_cache else cache_dir or root / ".carrel",
            jobs=jobs,
            progress=progress,
        )
    _show(report, format_name, output, group, show=shown, diff=diff)
    if write_baseline and known is not None:
        write(known, report.findings, report.summary.score.value if report.summary.score else 100.0)
    elif report.failing(settings.fail_on):
        raise click.exceptions.Exit(1)


def _with_options(
    settings: AuditSettings,
    select: Sequence[str],
    ignore: Sequence[str],
    exclude: Sequence[str],
    tests: bool | None,
    strict: bool | None,
    fail_on: str | None,
) -> AuditSettings:
    """The settings with what was given on the command line; patterns and rules to leave out come on top."""
    import msgspec

    changes: dict[str, object] = {
        "select": tuple(select) if select else settings.select,
        "ignore": (*settings.ignore, *ignore),
        "exclude": (*settings.exclude, *exclude),
        "tests": settings.tests if tests is None else tests,
        "strict": settings.strict if strict is None else strict,
        "fail_on": settings.fail_on if fail_on is None else _severity("fail-on", fail_on),
    }
    return msgspec.structs.replace(settings, **changes)


def _severity(option: str, given: str) -> Severity:
    from carrel.findings import SEVERITIES

    if given not in SEVERITIES:
        raise SettingsError(option, f"there is no severity {given!r}; there are: {', '.join(SEVERITIES)}")
    return given


def _show(report: Report, format_name: str, output: Path | None, group: str, *, show: Severity, diff: bool) -> None:
    from carrel.reporting import Format, TextFormat, format_named

    if group not in ("file", "rule"):
        raise SettingsError("group", f"is file or rule, not {group!r}")
    form: Format
    if format_name == "text":
        grouping = cast("Literal['file', 'rule']", group)  # it was looked at above
        form = replace(TextFormat.for_stream(sys.stdout), group=grouping, show=show, diff=diff)
        form = replace(form, colour=False) if output is not None else form
    else:
        try:
            form = format_named(format_name)
        except ValueError as error:
            raise SettingsError("format", str(error)) from None
    deliver(form.render(report), output)


def _list_rules() -> None:
    from carrel.audit.rules import RULES
    from carrel.audit.selection import every_rule

    rows: list[tuple[str, ...]] = [(info.code, info.severity, info.rule, info.title) for info in every_rule(RULES)]
    table(("code", "severity", "rule", "what it finds"), rows)


def _explain(name: str) -> None:
    from carrel.audit.rules import RULES
    from carrel.audit.selection import find_rule

    info = find_rule(RULES, name)
    say(f"{info.code} {info.rule} ({info.severity})", style="bold")
    say(info.title)
    say()
    say(f"Why:  {info.why}")
    say(f"Fix:  {info.fix}")
    if info.leak_classes:
        say(f"Leak classes: {', '.join(str(number) for number in info.leak_classes)}")
    say(f"Page: {info.page}")
    say(f"Accept one place: # carrel: ignore[{info.rule}] why it is safe")
