"""What a rule is, and what it gives: candidates, which become findings when their conditions hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol, TypeGuard

import msgspec

from carrel.audit.conditions import Condition
from carrel.findings import Fix, Location, RuleInfo, Severity

if TYPE_CHECKING:
    from carrel.audit.file_view import FileView
    from carrel.audit.program import Program

__all__ = ["Candidate", "FileRule", "Grade", "ProjectRule", "Rule", "has_file_part", "has_project_part",
           "rule_page"]  # fmt: skip

_PAGES: Final = "docs/reference/rules"


class Grade(msgspec.Struct, frozen=True, array_like=True):
    """A severity, and what must hold for it."""

    severity: Severity
    given: tuple[Condition, ...] = ()


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What one file shows of a finding. In its sentences, code stands between backticks.

    It becomes a finding when every condition of `given` holds, with the severity of the first of `grades` whose
    conditions hold too: none, no finding. Without `grades` it has the severity of its rule.
    """

    rule: str
    location: Location
    message: str
    why: str = ""
    """Empty: as the rule says."""
    fix: Fix = Fix()
    """Empty: as the rule says."""
    symbol: str = ""
    """The function or class around; of a function, `reachable_from` says how a request gets there."""
    related: tuple[Location, ...] = ()
    given: tuple[Condition, ...] = ()
    grades: tuple[Grade, ...] = ()
    lower_unreachable: bool = False
    """One tier less where no entry point leads to `symbol`, in a code base that has entry points."""
    by_anybody: bool = False
    """No less severe where only administrators get to `symbol`: what they do shows one person's data to another."""


class FileRule(Protocol):
    """A rule that looks at one file at a time; what other files say it leaves to conditions."""

    @property
    def info(self) -> RuleInfo: ...

    def check(self, view: FileView) -> Iterable[Candidate]:
        """What the file shows. It depends on the file alone: the result is kept by the file's content."""
        ...


class ProjectRule(Protocol):
    """A rule that looks at all files at once."""

    @property
    def info(self) -> RuleInfo: ...

    def check_program(self, program: Program) -> Iterable[Candidate]: ...


Rule = FileRule | ProjectRule


def has_file_part(rule: Rule) -> TypeGuard[FileRule]:
    """Whether the rule looks at single files; it may look at all of them too."""
    return hasattr(rule, "check")


def has_project_part(rule: Rule) -> TypeGuard[ProjectRule]:
    """Whether the rule looks at all files."""
    return hasattr(rule, "check_program")


def rule_page(name: str) -> str:
    """The page of a rule in carrel's documentation, as a path in its repository."""
    return f"{_PAGES}/{name}.md"
