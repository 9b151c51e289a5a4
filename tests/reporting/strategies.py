"""Reports in which any text stands in any field."""

from __future__ import annotations

from hypothesis import strategies as st

from carrel.findings import (
    BaselineComparison,
    Finding,
    Fix,
    Location,
    PackageScore,
    Report,
    RuleInfo,
    RuleScore,
    Score,
    Summary,
    Unparsable,
    fingerprinted,
)

NASTY = (
    "</script><script>alert(1)</script>",
    "--></style><img src=x onerror=alert(1)>",
    "]]>",
    "\"' `code` ``` ~~~ **bold** _x_ [a](1) ![b](c) @team #7 <!-- & &amp; $x$ | \\",
    "\x1b[2J\x07\x00\r\n\t\u202e\u2028\ufffe\ud800\U0001f600",
    "1. a\n- b\n# c\n===",
    " ` ",
)
texts = st.one_of(
    st.sampled_from(NASTY), st.text(st.characters(), max_size=20), st.text("`<>&\"' \\[](){}*_#@-=|~\r\n", max_size=12)
)
severities = st.sampled_from(("error", "warning", "info"))
numbers = st.integers(0, 40)
locations = st.builds(
    Location, path=texts, line=numbers, column=numbers, end_line=numbers, end_column=numbers, note=texts
)
findings = st.builds(
    Finding,
    rule=texts,
    code=texts,
    severity=severities,
    location=locations,
    message=texts,
    why=texts,
    fix=st.builds(Fix, description=texts, diff=texts),
    symbol=texts,
    related=st.lists(locations, max_size=2).map(tuple),
    reachable_from=st.lists(texts, max_size=2).map(tuple),
    evidence=texts,
    known=st.booleans(),
)
rules = st.builds(
    RuleInfo,
    rule=texts,
    code=texts,
    severity=severities,
    title=texts,
    why=texts,
    fix=texts,
    page=texts,
    leak_classes=st.lists(st.integers(1, 38), max_size=2, unique=True).map(tuple),
)
points = st.floats(0, 100)
scores = st.builds(
    Score,
    value=points,
    formula=texts,
    per_package=st.lists(
        st.builds(PackageScore, package=texts, value=points, lines=numbers, findings=numbers), max_size=2
    ).map(tuple),
    per_rule=st.lists(st.builds(RuleScore, rule=texts, cost=points, findings=numbers), max_size=2).map(tuple),
    previous=st.none() | points,
)
summaries = st.builds(
    Summary,
    files=numbers,
    lines=numbers,
    seconds=points,
    score=st.none() | scores,
    unparsable=st.lists(st.builds(Unparsable, path=texts, line=numbers, message=texts), max_size=2).map(tuple),
    baseline=st.none() | st.builds(BaselineComparison, new=numbers, known=numbers, gone=numbers),
    details=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Reports whose files all have the same few odd lines."""
    source = draw(st.lists(texts, max_size=4).map(tuple))
    return Report(
        tool=draw(st.sampled_from(("audit", "probe", "migrate"))),
        root=draw(texts),
        rules=draw(st.lists(rules, max_size=2, unique_by=lambda rule: rule.code).map(tuple)),
        findings=fingerprinted(draw(st.lists(findings, max_size=3))),
        summary=draw(summaries),
        sources=lambda path: source,
    )
