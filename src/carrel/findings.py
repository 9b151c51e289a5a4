"""What audit, probe and migration scan find: one result type for the three, and nothing of how it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Literal

__all__ = [
    "SEVERITIES",
    "BaselineComparison",
    "Finding",
    "Fix",
    "Location",
    "PackageScore",
    "Report",
    "RuleInfo",
    "RuleScore",
    "Score",
    "Severity",
    "Sources",
    "Summary",
    "ToolName",
    "Unparsable",
    "fingerprinted",
    "no_sources",
]

Severity = Literal["error", "warning", "info"]
ToolName = Literal["audit", "probe", "migrate"]

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
"""Every severity, worst first."""

Sources = Callable[[str], Sequence[str]]
"""Gives the lines of a file by its path, without line ends; no lines when the file cannot be read."""


def no_sources(_path: str) -> Sequence[str]:
    """The `Sources` of a report whose findings are not in files."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A range of a file's text, or, with `line` 0, an endpoint of a server."""

    path: str
    """Relative to the report's root, with `/`; for a place that is in no file, its name: `POST /chat`."""
    line: int = 0
    """From 1; 0 when the place is in no file."""
    column: int = 0
    """From 0, in bytes of UTF-8, as `ast` counts."""
    end_line: int = 0
    """The line of the range's end; 0 when only its start is known."""
    end_column: int = 0
    """The first byte behind the range."""
    note: str = ""
    """What is at this place: for related places, and for the place that a finding is about when it helps."""

    @property
    def in_file(self) -> bool:
        """Whether the place is in a file."""
        return self.line > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """How a finding is repaired."""

    description: str = ""
    diff: str = ""
    """A unified diff, relative to the root, when applying it is safe; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that a rule objects to. In its sentences, code stands between backticks."""

    rule: str
    """The rule's name, `module-level-container`."""
    code: str
    """The rule's code, `CAR001`."""
    severity: Severity
    location: Location
    message: str
    """One sentence: what is there."""
    why: str = ""
    """One or two sentences: how one user's state reaches another here."""
    fix: Fix = Fix()
    symbol: str = ""
    """Qualified name of the function or class around the place, or of what the finding is about."""
    related: tuple[Location, ...] = ()
    """The other places that meet here, each with its `note`; for example where the shared container is defined."""
    reachable_from: tuple[str, ...] = ()
    """The way from an entry point to the place: `("POST /chat app.main.chat", "app.service.Service.run")`."""
    evidence: str = ""
    """What was seen, for a probe: lines of the exchange. Empty where the source says it."""
    known: bool = False
    """Whether the baseline has it."""
    fingerprint: str = ""
    """Which finding this is, from one version of the code to the next; set by `fingerprinted`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInfo:
    """What a report says about a rule that was checked, whether it found something or not."""

    rule: str
    code: str
    severity: Severity
    """The severity unless a finding says otherwise."""
    title: str
    why: str
    fix: str
    page: str = ""
    """Address of the rule's documentation."""
    leak_classes: tuple[int, ...] = ()
    """Numbers of the leak classes that it recognises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageScore:
    """The score of one package."""

    package: str
    value: float
    lines: int
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """How many points of the score one rule's findings cost."""

    rule: str
    cost: float
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How far the code keeps users apart, from 0 to 100, in a way that can be recalculated by hand."""

    value: float
    formula: str
    """The formula with this report's figures in it."""
    per_package: tuple[PackageScore, ...] = ()
    per_rule: tuple[RuleScore, ...] = ()
    previous: float | None = None
    """The score that the baseline recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineComparison:
    """How many findings are not in the baseline, are in it, and are in it and no longer there."""

    new: int
    known: int
    gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unparsable:
    """A file that could not be checked, and why."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was looked at, and what came of it as a whole."""

    files: int
    lines: int
    seconds: float
    score: Score | None = None
    unparsable: tuple[Unparsable, ...] = ()
    baseline: BaselineComparison | None = None
    details: tuple[tuple[str, str], ...] = ()
    """Further figures of the tool, each a label and a value, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one run of a tool found."""

    tool: ToolName
    root: str
    rules: tuple[RuleInfo, ...]
    """The rules that were checked."""
    findings: tuple[Finding, ...]
    """As `fingerprinted` gives them: by path and place."""
    summary: Summary
    sources: Sources = no_sources
    """For excerpts; not part of what the report says."""

    def count(self, severity: Severity) -> int:
        """How many findings have the severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def failing(self, fail_on: Severity) -> tuple[Finding, ...]:
        """The findings at or above `fail_on` that the baseline does not have: with one of them a check fails."""
        bad = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        return tuple(finding for finding in self.findings if finding.severity in bad and not finding.known)


def fingerprinted(findings: Iterable[Finding], sources: Sources = no_sources) -> tuple[Finding, ...]:
    """The findings by path and place, each with its fingerprint.

    A fingerprint is 32 hexadecimal digits, made of the rule, the path, the symbol, the text of the line with its
    white space evened out, and the ordinal among findings that agree in all of these. So it stays the same when lines
    are added above or the code is indented anew, and two findings never have the same one.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding in sorted(findings, key=_place):
        identity = (finding.rule, finding.location.path, finding.symbol, _line_text(finding, sources))
        digest = sha256("\0".join((*identity, str(seen[identity]))).encode("utf-8", "surrogatepass"))
        seen[identity] += 1
        found.append(replace(finding, fingerprint=digest.hexdigest()[:32]))
    return tuple(found)


def _place(finding: Finding) -> tuple[str | int, ...]:
    place = finding.location
    return (place.path, place.line, place.column, place.end_line, place.end_column, finding.code, finding.message)


def _line_text(finding: Finding, sources: Sources) -> str:
    if not finding.location.in_file:
        return ""
    lines = sources(finding.location.path)
    if finding.location.line > len(lines):
        return ""
    return " ".join(lines[finding.location.line - 1].split())
