"""A baseline: the findings that were there when a team began to look, so that a check fails on new ones only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from carrel.errors import SettingsError
from carrel.findings import BaselineComparison, Finding, Severity

__all__ = ["Baseline", "read_baseline", "write_baseline"]

_VERSION = 1


class _Entry(msgspec.Struct, frozen=True):
    fingerprint: str
    rule: str
    severity: Severity
    path: str
    line: int
    message: str


class _File(msgspec.Struct, frozen=True):
    schema_version: int
    score: float
    findings: tuple[_Entry, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline file says."""

    fingerprints: frozenset[str]
    score: float

    def compare(self, findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], BaselineComparison]:
        """The findings, those that the baseline has marked as known; and how many are new, known and gone."""
        marked = tuple(replace(one, known=one.fingerprint in self.fingerprints) for one in findings)
        known = sum(one.known for one in marked)
        gone = len(self.fingerprints - {one.fingerprint for one in marked})
        return marked, BaselineComparison(new=len(marked) - known, known=known, gone=gone)


def read_baseline(path: Path) -> Baseline:
    """Read a file that `write_baseline` wrote; raises `SettingsError` when it is none."""
    try:
        read = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}; make it with --write-baseline"
        raise SettingsError("baseline", problem) from None
    except msgspec.MsgspecError as error:
        raise SettingsError("baseline", f"{path} is no baseline: {error}; make it with --write-baseline") from None
    if read.schema_version != _VERSION:
        problem = f"{path} is of version {read.schema_version}, not {_VERSION}; make it anew with --write-baseline"
        raise SettingsError("baseline", problem)
    return Baseline(frozenset(entry.fingerprint for entry in read.findings), read.score)


def write_baseline(path: Path, findings: Iterable[Finding], score: float) -> None:
    """Write the findings, one a line and in their order, so that a diff of the file can be read."""
    head = msgspec.json.encode({"schema_version": _VERSION, "score": score}).decode()[:-1]
    entries = ",\n  ".join(_line(finding) for finding in findings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{head},"findings":[\n  {entries}\n]}}\n', encoding="utf-8")
    except OSError as error:
        raise SettingsError("baseline", f"{path} cannot be written: {error.strerror}") from None


def _line(finding: Finding) -> str:
    place = finding.location
    path, message = (text.encode("utf-8", "backslashreplace").decode() for text in (place.path, finding.message))
    entry = _Entry(finding.fingerprint, finding.rule, finding.severity, path, place.line, message)
    return msgspec.json.encode(entry).decode()
