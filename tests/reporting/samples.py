"""Reports to be rendered: none, one, every field, thousands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from carrel.findings import (
    SEVERITIES,
    BaselineComparison,
    Finding,
    Fix,
    Location,
    PackageScore,
    Report,
    RuleInfo,
    RuleScore,
    Score,
    Sources,
    Summary,
    Unparsable,
    fingerprinted,
)

SOURCES: Mapping[str, Sequence[str]] = {
    "app/service.py": (
        "from app.state import SESSIONS",
        "",
        "class Service:",
        "    async def run(self, user: User, question: str) -> str:",
        "        self.user = user",
        "        ä = SESSIONS[question] = await self.answer(question)",
        "        return ä",
    ),
    "app/state.py": ("SESSIONS: dict[str, str] = {}",),
}


RULES = (
    RuleInfo(
        rule="module-level-container",
        code="CAR001",
        severity="error",
        title="A handler writes to a container of the module",
        why="The container outlives the request, so the next user reads what this one wrote.",
        fix="Keep the value in the request or in a store that is asked with the user.",
        page="https://carrel.example/rules/module-level-container/",
        leak_classes=(1,),
    ),
    RuleInfo(
        rule="shared-object-argument",
        code="CAR005",
        severity="warning",
        title="A shared object keeps an argument of one user",
        why="Two requests run at the same time on one object.",
        fix="Make the object per request.",
        leak_classes=(5, 35),
    ),
    RuleInfo(
        rule="late-binding-closure",
        code="CAR030",
        severity="info",
        title="A closure reads a variable of the loop",
        why="It runs after the loop went on.",
        fix="Bind the value as a default argument.",
    ),
)

CONTAINER = Finding(
    rule="module-level-container",
    code="CAR001",
    severity="error",
    location=Location(path="app/service.py", line=6, column=13, end_line=6, end_column=31),
    message="`run` writes to `SESSIONS`, which every request shares.",
    why="What one user asked is read by the next who asks the same.",
    fix=Fix(
        description="Keep the answers in `context.store`.",
        diff="--- a/app/service.py\n+++ b/app/service.py\n@@ -6 +6 @@\n-        ä = SESSIONS[q]\n+        ä = 1\n",
    ),
    symbol="app.service.Service.run",
    related=(
        Location(path="app/state.py", line=1, end_line=1, end_column=8, note="the container is defined here"),
        Location(path="app/gone.py", line=3, column=4, note="a file that cannot be read"),
    ),
    reachable_from=("POST /chat app.main.chat", "app.service.Service.run"),
)
ARGUMENT = Finding(
    rule="shared-object-argument",
    code="CAR005",
    severity="warning",
    location=Location(path="app/service.py", line=5, column=8, end_line=5, end_column=17),
    message="`Service` keeps `user` on itself.",
    why="A second request changes it before the first is done.",
    fix=Fix(description="Pass `user` on."),
    symbol="app.service.Service.run",
    known=True,
)
ENDPOINT = Finding(
    rule="foreign-object",
    code="PRB023",
    severity="error",
    location=Location(path="GET /threads/{id}"),
    message="A second user reads a thread of the first.",
    evidence="> GET /threads/17\n> Authorization: Bearer (second user)\n< 200 … (canary of the first user)",
)
SCORE = Score(
    value=81.25,
    formula="100 - (1 error x 10 + 1 warning x 3) / 7 lines x 10 = 81.25",
    per_package=(
        PackageScore(package="app", value=62.5, lines=8, findings=2),
        PackageScore(package="app.clean", value=100.0, lines=200, findings=0),
    ),
    per_rule=(
        RuleScore(rule="module-level-container", cost=14.4, findings=1),
        RuleScore(rule="shared-object-argument", cost=4.35, findings=1),
    ),
    previous=78.0,
)
FULL_SUMMARY = Summary(
    files=3,
    lines=208,
    seconds=0.4321,
    score=SCORE,
    unparsable=(Unparsable(path="app/broken.py", line=7, message="'(' was never closed"),),
    baseline=BaselineComparison(new=1, known=1, gone=2),
    details=(("Suppressed", "3"),),
)


def report(*findings: Finding, sources: Sources = lambda path: SOURCES.get(path, ()), **changes: Any) -> Report:
    made = Report(
        tool="audit",
        root="/srv/shop",
        rules=RULES,
        findings=fingerprinted(findings, sources),
        summary=Summary(files=2, lines=8, seconds=0.25),
        sources=sources,
    )
    return replace(made, **changes)


EMPTY = report()
FULL = report(CONTAINER, ARGUMENT, ENDPOINT, summary=FULL_SUMMARY)


def large(count: int = 2_000) -> Report:
    """Many findings in a tree of packages."""
    findings = tuple(
        replace(
            (CONTAINER, ARGUMENT)[number % 2],
            severity=SEVERITIES[(number * 7) % 11 % 3],
            location=Location(
                path=f"src/shop/{('orders', 'people', 'agents', 'search/index')[number % 4]}/module_{number % 97}.py",
                line=1 + number % 30,
                end_line=1 + number % 30,
                column=4,
                end_column=20,
            ),
            symbol=f"shop.thing_{number}",
        )
        for number in range(count)
    )
    text = tuple(f"    value_{number} = shared[{number}]  # line {number}" for number in range(40))
    return report(*findings, sources=lambda path: text if path.startswith("src") else ())
