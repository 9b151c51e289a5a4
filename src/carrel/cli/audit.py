"""`carrel audit`: where can one user's state reach another?"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from carrel.cli.output import deliver, reading, say, table
from carrel.errors import SettingsError

if TYPE_CHECKING:
    from carrel.audit.settings import AuditSettings
    from carrel.findings import Report

__all__ = ["audit"]

_CHECK = "What to check"
_SHOW = "What to show"
_RUN = "How to run"


def audit(
    path: Annotated[Path, typer.Argument(metavar="[DIRECTORY]", help="The code base.")] = Path(),
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="Check only this rule, code or beginning of codes (CAR0); may be repeated."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Leave this rule out; may be repeated.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Leave out paths like this (vendor/*); may be repeated."),
    ] = None,
    tests: Annotated[bool | None, typer.Option("--tests/--no-tests", help="Look at tests too.")] = None,
    fail_on: Annotated[
        str | None, typer.Option(metavar="SEVERITY", help="Exit with 1 from this severity on: error, warning, info.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Findings that are known: only new ones count for the exit code."),
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write the findings to the baseline file, and exit with 0.")
    ] = False,
    format_name: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, json, sarif, junit, markdown or html.")
    ] = "text",
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report here, not to standard output.")
    ] = None,
    group: Annotated[str, typer.Option(metavar="file|rule", help="How the text report is grouped.")] = "file",
    diff: Annotated[bool, typer.Option("--diff", help="Show the fixes that are safe as unified diffs.")] = False,
    jobs: Annotated[int, typer.Option(metavar="N", min=0, help="Processes that read; 0 is one per processor.")] = 0,
    cache_dir: Annotated[
        Path | None, typer.Option(metavar="DIRECTORY", help="Where facts are kept between runs; .carrel if not given.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Read everything anew, and keep nothing.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules, and check nothing.")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="Say what a rule finds and why it matters, and check nothing.")
    ] = None,
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
    settings = _with_options(settings, select, ignore, exclude, tests, fail_on)
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
    _show(report, format_name, output, group, diff=diff)
    if write_baseline and known is not None:
        write(known, report.findings, report.summary.score.value if report.summary.score else 100.0)
    elif report.failing(settings.fail_on):
        raise typer.Exit(1)


def _with_options(
    settings: AuditSettings,
    select: list[str] | None,
    ignore: list[str] | None,
    exclude: list[str] | None,
    tests: bool | None,
    fail_on: str | None,
) -> AuditSettings:
    """The settings with what was given on the command line; patterns and rules to leave out come on top."""
    import msgspec

    from carrel.findings import SEVERITIES

    if fail_on is not None and fail_on not in SEVERITIES:
        raise SettingsError("fail-on", f"there is no severity {fail_on!r}; there are: {', '.join(SEVERITIES)}")
    changes: dict[str, object] = {
        "select": tuple(select) if select else settings.select,
        "ignore": (*settings.ignore, *(ignore or ())),
        "exclude": (*settings.exclude, *(exclude or ())),
        "tests": settings.tests if tests is None else tests,
        "fail_on": fail_on or settings.fail_on,
    }
    return msgspec.structs.replace(settings, **changes)


def _show(report: Report, format_name: str, output: Path | None, group: str, *, diff: bool) -> None:
    from carrel.reporting import Format, TextFormat, format_named

    if group not in ("file", "rule"):
        raise SettingsError("group", f"is file or rule, not {group!r}")
    form: Format
    if format_name == "text":
        form = TextFormat.for_stream(sys.stdout, group=group, diff=diff)  # type: ignore[arg-type] # checked above
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
