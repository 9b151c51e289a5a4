"""A scan as data and as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, get_args

from carrel.errors import SourceError
from carrel.findings import Finding, Location, Report, RuleInfo, Sources, Summary, fingerprinted
from carrel.migrate.outcome import FileOutcome, Refused
from carrel.migrate.references import Certainty, Kind, Reference, Scan
from carrel.source import SourceText

__all__ = ["counts", "scan_data", "scan_report", "with_reasons"]

SCHEMA_VERSION: Final = 1
KINDS: Final[tuple[Kind, ...]] = tuple(get_args(Kind))
_TITLES: Final = MappingProxyType(
    {
        "import": "An import",
        "call": "A call",
        "base": "A base class",
        "annotation": "An annotation",
        "string_annotation": "An annotation in quotes",
        "attribute": "A renamed attribute",
        "name": "Another use of the name",
        "patch_target": "A name in a string",
        "dunder_all": "A name in `__all__`",
        "fallback_store": "What stands in for a failed import",
        "doc": "A name in documentation",
        "comment": "A name in a comment",
        "data": "A name in a data file",
        "pickle": "A name in a pickle",
    }
)


def counts(references: Iterable[Reference], field: str) -> dict[str, int]:
    """How many references have each value of a field, the commonest first."""
    return dict(Counter(getattr(one, field) for one in references).most_common())


def scan_data(scan: Scan) -> dict[str, Any]:
    """The scan as `carrel migrate scan --format json` writes it; columns are 0-based UTF-8 bytes, as in `ast`."""
    references = scan.references
    return {
        "schema_version": SCHEMA_VERSION,
        "summary": {
            "files": scan.files,
            "python_files": scan.python_files,
            "parsed": scan.parsed,
            "unparsable": len(scan.unparsable),
            "mentions": scan.mentions,
            "mention_files": scan.mention_files,
            "references": len(references),
            "reference_files": len({one.path for one in references}),
            "by_kind": counts(references, "kind"),
            "by_certainty": counts(references, "certainty"),
            "seconds": round(scan.seconds, 3),
        },
        "references": [
            {
                "path": one.path,
                "line": one.line,
                "column": one.column,
                "end_line": one.end_line,
                "end_column": one.end_column,
                "kind": one.kind,
                "certainty": one.certainty,
                "symbol": one.symbol,
                "resolved_to": one.resolved_to,
                "via": list(one.via),
                "phase": one.phase,
                "text": one.text,
                "reason": one.reason,
            }
            for one in references
        ],
        "unparsable": [{"path": one.path, "line": one.line, "message": one.message} for one in scan.unparsable],
    }


def with_reasons(scan: Scan, outcomes: Iterable[FileOutcome]) -> Scan:
    """The scan with what the edits leave to a person, and why, in the references themselves."""
    left: dict[tuple[str, int, int], str] = {}
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            left.update(((one.path, one.start, one.end), outcome.reason) for one in outcome.references)
        else:
            left.update(
                ((one.reference.path, one.reference.start, one.reference.end), one.reason) for one in outcome.left
            )
    references = tuple(
        replace(one, reason=left.get((one.path, one.start, one.end), one.reason)) for one in scan.references
    )
    return replace(scan, references=references)


def scan_report(scan: Scan, root: Path) -> Report:
    """The scan as a report, for Markdown, HTML and SARIF: each reference is a finding, each kind a rule."""
    sources = _sources(root)
    found = tuple(_finding(one) for one in scan.references)
    details = (
        ("References", str(len(scan.references))),
        ("Files with references", str(len({one.path for one in scan.references}))),
        ("Mentions", f"{scan.mentions} in {scan.mention_files} files"),
        *((f"Phase {phase}", str(count)) for phase, count in counts(scan.references, "phase").items()),
        *((f"Kind {kind}", str(count)) for kind, count in counts(scan.references, "kind").items()),
    )
    summary = Summary(files=scan.files, lines=0, seconds=scan.seconds, unparsable=scan.unparsable, details=details)
    rules = tuple(_rule(kind) for kind in KINDS)
    return Report(
        tool="migrate", root=str(root), rules=rules, findings=fingerprinted(found, sources), summary=summary,
        sources=sources,
    )  # fmt: skip


def _finding(one: Reference) -> Finding:
    certainty: Certainty = one.certainty
    return Finding(
        rule=one.kind,
        code=_code(one.kind),
        severity="warning" if certainty == "certain" and not one.reason else "info",
        location=Location(
            path=one.path, line=one.line, column=one.column, end_line=one.end_line, end_column=one.end_column
        ),
        message=f"`{one.text}` refers to `{one.resolved_to}`, which moves",
        why=f"{one.reason[:1].upper()}{one.reason[1:]}." if one.reason else "",
        symbol=one.symbol,
    )


def _rule(kind: Kind) -> RuleInfo:
    return RuleInfo(
        rule=kind,
        code=_code(kind),
        severity="warning",
        title=_TITLES[kind],
        why="It stops working when the old definition goes.",
        fix="`carrel migrate apply` edits it where it is certain.",
    )


def _code(kind: Kind) -> str:
    return f"MIG{KINDS.index(kind) + 1:03}"


def _sources(root: Path) -> Sources:
    def lines(path: str) -> list[str]:
        try:
            return SourceText((root / path).read_bytes()).utf8.decode().splitlines()
        except (OSError, SourceError, UnicodeDecodeError):
            return []

    return lines
