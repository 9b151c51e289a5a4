"""A pinned version of a library that is known to show one user's data to another."""

from __future__ import annotations

from collections.abc import Iterator

from carrel.audit.advisories import advisories_for
from carrel.audit.program import Program
from carrel.audit.rule import Candidate, rule_page
from carrel.findings import Fix, Location, RuleInfo

__all__ = ["LeakingDependency"]


class LeakingDependency:
    """`redis==4.5.1`."""

    info = RuleInfo(
        rule="leaking-dependency",
        code="CAR201",
        severity="error",
        title="A pinned version is known to leak between users",
        why="The library itself hands one request what belongs to another, however carefully the code around it "
        "keeps users apart.",
        fix="Move to a version that is repaired.",
        page=rule_page("leaking-dependency"),
        leak_classes=(),
    )

    def check_program(self, program: Program) -> Iterator[Candidate]:
        for pin in program.pins:
            for advisory in advisories_for(pin.package, pin.version):
                yield Candidate(
                    rule=self.info.rule,
                    location=Location(path=pin.path, line=pin.line),
                    message=f"{pin.package} {pin.version}: {advisory.leaks} ({advisory.sources[0]})",
                    fix=Fix(description=f"Move to {pin.package} {advisory.fixed} or later."),
                )
