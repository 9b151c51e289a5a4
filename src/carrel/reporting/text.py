"""Text for people: findings with the source that they are about, then a summary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from typing import Final, Literal, TextIO

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.text import Text

from carrel.findings import SEVERITIES, Finding, Location, Report, Severity, Sources
from carrel.reporting.excerpt import ExcerptLine, excerpt, position
from carrel.reporting.prose import counted, one_line, pieces, visible
from carrel.reporting.text_summary import summary

__all__ = ["TextFormat"]

NARROWEST: Final = 40
TAB: Final = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormat:
    """A report as lines for a terminal or a log.

    Sentences are wrapped at `width`; the lines that tools look for, `path:line:column`, never are. Control characters
    in names and source lines are shown as escapes, so that a checked file cannot steer the terminal.
    """

    width: int = 100
    colour: bool = False
    group: Literal["file", "rule"] = "file"
    diff: bool = False
    """Whether to show the changes that are safe to make."""
    show: Severity = "info"
    """Findings below it are counted by rule, and not shown, unless for their changes."""
    name: str = "text"

    @classmethod
    def for_stream(cls, stream: TextIO) -> TextFormat:
        """As it suits the stream: a terminal's width and colours, unless `NO_COLOR` is set; plain lines otherwise."""
        if not stream.isatty():
            return cls()
        colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(width=max(NARROWEST, Console(file=stream).width), colour=colour)

    def render(self, report: Report) -> str:
        console = Console(
            file=StringIO(),
            width=max(NARROWEST, self.width),
            force_terminal=self.colour,
            color_system="standard" if self.colour else None,
            no_color=not self.colour,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )
        bar = SEVERITIES[: SEVERITIES.index(self.show) + 1]
        shown = [one for one in report.findings if one.severity in bar or (self.diff and one.fix.diff)]
        for heading, findings in _groups(shown, self.group):
            _print(console, _heading(console, heading, len(findings)))
            for finding in findings:
                _print(console, _finding(console, finding, report.sources, diff=self.diff))
        summary(console, report, unseen=len(report.findings) - len(shown))
        assert isinstance(console.file, StringIO)
        return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n")).strip("\n") + "\n"


def _print(console: Console, lines: Iterable[Text]) -> None:
    # Nothing is left to lay out, which `console.print` would take as long for as all the rest takes.
    for line in lines:
        console.file.write(f"{_coloured(console, line)}\n")


def _coloured(console: Console, line: Text) -> str:
    if console.no_color:
        return line.plain
    # Assembled anew: only then what the whole line has for a style is among the styles of its parts.
    segments = Text.assemble(line).render(console)
    return "".join(
        style.render(text, color_system=ColorSystem.STANDARD) if style else text for text, style, _ in segments
    )


def _groups(findings: list[Finding], group: Literal["file", "rule"]) -> Iterator[tuple[str, list[Finding]]]:
    def key(finding: Finding) -> str:
        return finding.location.path if group == "file" else f"{finding.code} {finding.rule}"

    for heading, found in groupby(sorted(findings, key=key), key):
        yield heading, list(found)


def _heading(console: Console, heading: str, findings: int) -> Iterator[Text]:
    line = Text.assemble((visible(heading), "bold"), (f"  {counted(findings, 'finding')}", "dim"))
    yield line
    yield Text("─" * min(console.width, cell_len(line.plain)), style="dim")


def _finding(console: Console, finding: Finding, sources: Sources, *, diff: bool) -> Iterator[Text]:
    style = _style(finding.severity)
    known = " (in the baseline)" if finding.known else ""
    name = f" {visible(finding.code)} {visible(finding.rule)}{known}"
    yield Text.assemble((finding.severity, style), (name, "bold"))
    yield from _sentence(console, "", finding.message)
    yield from _place(console, finding.location, sources, symbol=finding.symbol, context=1, style=style)
    for place in finding.related:
        yield from _place(console, place, sources, context=0, style="blue")
    for line in _lines(finding.evidence):
        yield Text(f"  │ {visible(line)}", style="dim")
    yield from _sentence(console, "Why: ", finding.why)
    yield from _sentence(console, "Reachable: ", " → ".join(finding.reachable_from))
    yield from _sentence(console, "Fix: ", finding.fix.description)
    if diff:
        for line in _lines(finding.fix.diff):
            yield Text(f"  {visible(line.replace(chr(9), TAB))}", style=_diff_style(line))
    yield Text()


def _lines(text: str) -> list[str]:
    # Not splitlines(), which swallows characters that are to be shown.
    return text.rstrip("\n").split("\n") if text else []


def _sentence(console: Console, label: str, text: str) -> Iterator[Text]:
    if not text:
        return
    sentence = Text.assemble((label, "dim"))
    for piece in pieces(one_line(text)):
        sentence.append(f"`{piece.text}`" if piece.code else piece.text, style="cyan" if piece.code else "")
    for line in sentence.wrap(console, console.width - 2):
        yield Text.assemble("  ", line)


def _place(
    console: Console, place: Location, sources: Sources, *, context: int, style: str, symbol: str = ""
) -> Iterator[Text]:
    at = position(place, sources)
    where = f"{visible(place.path)}:{at.line}:{at.column}" if place.in_file else visible(place.path)
    line = Text.assemble(("  --> ", "dim"), (where, "underline" if place.in_file else ""))
    if symbol:
        line.append(f" in {visible(symbol)}", style="dim")
    if place.note:
        line.append(f": {one_line(place.note)}")
    yield line
    lines = excerpt(place, sources, context=context)
    gutter = len(str(lines[-1].number)) if lines else 0
    for one in lines:
        yield from _source_line(one, gutter, style, room=max(16, console.width - gutter - 5))


def _source_line(line: ExcerptLine, gutter: int, style: str, *, room: int) -> Iterator[Text]:
    before, marked, after = _cropped(
        visible(line.text[: line.start].replace("\t", TAB)),
        visible(line.text[line.start : line.end].replace("\t", TAB)),
        visible(line.text[line.end :].replace("\t", TAB)),
        room,
    )
    number = (f"  {line.number:>{gutter}} │ ", "dim")
    if not line.end:
        yield Text.assemble(number, (after, "dim"))
        return
    yield Text.assemble(number, before, (marked, f"bold {style}"), after)
    caret = " " * cell_len(before) + "^" * max(1, cell_len(marked))
    yield Text.assemble((f"  {'':>{gutter}} │ ", "dim"), (caret, style))


def _cropped(before: str, marked: str, after: str, room: int) -> tuple[str, str, str]:
    """The three parts cut so that they fit, with the beginning of the marked one always among what is left."""
    if cell_len(before + marked + after) <= room:
        return before, marked, after
    if cell_len(before + marked) > room - 1:
        before = _last(before, max(8, room - 1 - cell_len(marked)))
    marked = _first(marked, room - cell_len(before))
    return before, marked, _first(after, room - cell_len(before + marked))


def _first(text: str, room: int) -> str:
    return text if cell_len(text) <= room else set_cell_size(text, max(0, room - 1)).rstrip() + "…" * (room > 0)


def _last(text: str, room: int) -> str:
    if cell_len(text) <= room:
        return text
    while cell_len(text) > room - 1:
        text = text[1 + (len(text) - room) // 2 if len(text) > 2 * room else 1 :]
    return "…" + text


def _style(severity: Severity) -> str:
    return {"error": "red", "warning": "yellow", "info": "blue"}[severity]


def _diff_style(line: str) -> str:
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
