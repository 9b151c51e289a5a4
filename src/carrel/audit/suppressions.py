"""`# carrel: ignore[rule] reason`: findings that somebody has looked at and accepted."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from carrel.audit.facts import Suppression
from carrel.audit.rule import rule_page
from carrel.findings import Finding, Fix, Location, RuleInfo, Severity

__all__ = ["UNEXPLAINED", "UNUSED", "find_suppressions", "suppress"]

_MARK: Final = b"carrel:"
_COMMENT: Final = re.compile(r"#\s*carrel:\s*ignore(?:\[(?P<rules>[^\]]*)\])?(?P<reason>.*)$")
_BLANK: Final = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)

UNUSED: Final = RuleInfo(
    rule="unused-suppression",
    code="CAR901",
    severity="warning",
    title="A suppression suppresses nothing",
    why="It would hide the next finding at this place, which nobody has looked at.",
    fix="Delete the comment.",
    page=rule_page("unused-suppression"),
)
UNEXPLAINED: Final = RuleInfo(
    rule="unexplained-suppression",
    code="CAR902",
    severity="warning",
    title="A suppression names no rule or gives no reason",
    why="Without a rule and a reason nobody can tell later whether it still holds, so it suppresses nothing.",
    fix="Write `# carrel: ignore[rule-name] why this is safe`.",
    page=rule_page("unexplained-suppression"),
)


def find_suppressions(data: bytes) -> tuple[Suppression, ...]:
    """The suppressions in the text of a file.

    One behind code is about the statement that it stands in; one on a line of its own about the next statement, of a
    compound one its head.
    """
    if _MARK not in data:
        return ()
    try:
        return tuple(_read(tokenize.tokenize(io.BytesIO(data).readline)))
    except (tokenize.TokenError, SyntaxError, UnicodeError):
        return ()


def _read(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[Suppression]:
    waiting: list[tuple[int, str]] = []
    first = 0
    for token in tokens:
        if token.type == tokenize.COMMENT and _COMMENT.match(token.string):
            waiting.append((token.start[0], token.string))
        elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            last = token.start[0]
            for line, text in waiting:
                yield _suppression(line, text, (first or last, last))
            waiting, first = [], 0
        elif not first and token.type not in _BLANK and token.type != tokenize.ENCODING:
            first = token.start[0]


def _suppression(line: int, text: str, lines: tuple[int, int]) -> Suppression:
    match = _COMMENT.match(text)
    rules = match["rules"] if match is not None else None
    reason = match["reason"].strip(" -:") if match is not None else ""
    named = tuple(name.strip() for name in (rules or "").split(",") if name.strip())
    problem = "" if named and reason else "it names no rule" if not named else "it gives no reason"
    return Suppression(line, named, reason, lines, problem)


def suppress(
    findings: Iterable[Finding], suppressions: Mapping[str, tuple[Suppression, ...]], checked: Mapping[str, RuleInfo]
) -> tuple[list[Finding], int]:
    """The findings that are left, with those about the suppressions themselves; and how many were suppressed.

    `suppressions` by path; `checked` are the rules of this run: a suppression of a rule that was not checked is not
    called unused.
    """
    left: list[Finding] = []
    used: set[tuple[str, Suppression]] = set()
    count = 0
    for finding in findings:
        matching = [one for one in suppressions.get(finding.location.path, ()) if _covers(one, finding)]
        used.update((finding.location.path, one) for one in matching)
        if matching:
            count += 1
        else:
            left.append(finding)
    names = {name for info in checked.values() for name in (info.rule, info.code)}
    for path, several in suppressions.items():
        for one in several:
            if one.problem and UNEXPLAINED.rule in checked:
                left.append(_finding(UNEXPLAINED, path, one, f"this suppression has no effect: {one.problem}"))
            elif (path, one) not in used and not one.problem and UNUSED.rule in checked and names.issuperset(one.rules):
                left.append(_finding(UNUSED, path, one, f"nothing here breaks `{', '.join(one.rules)}`"))
    return left, count


def _covers(suppression: Suppression, finding: Finding) -> bool:
    place = finding.location
    first, last = suppression.lines
    named = finding.rule in suppression.rules or finding.code in suppression.rules
    # Where the finding begins, so that one for a whole function is not hidden by a comment somewhere in it.
    return named and not suppression.problem and first <= place.line <= last


def _finding(info: RuleInfo, path: str, suppression: Suppression, message: str) -> Finding:
    severity: Severity = info.severity
    return Finding(rule=info.rule, code=info.code, severity=severity, message=message, why=info.why,
                   location=Location(path=path, line=suppression.line), fix=Fix(description=info.fix))  # fmt: skip
