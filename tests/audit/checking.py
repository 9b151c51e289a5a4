"""Two verbs for tests of rules: `finds` and `quiet`."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

from carrel.audit.facts import FileFacts
from carrel.audit.file_facts import read_facts
from carrel.audit.file_view import FileView
from carrel.audit.judgement import judge
from carrel.audit.program import Program
from carrel.audit.rule import Rule
from carrel.findings import Finding
from carrel.source import module_names, read_module
from carrel.source.module_names import source_roots

Source = str | Mapping[str, str]
"""The text of `app.py`, or several files by path. Indented texts are dedented."""


def files(source: Source) -> dict[str, str]:
    given = {"app.py": source} if isinstance(source, str) else source
    return {path: dedent(text) for path, text in given.items()}


def view(source: str, path: str = "app.py") -> FileView:
    """One file as rules see it."""
    return FileView(read_module(path, module_names(path, (".",))[0], dedent(source).encode()))


def program(source: Source, *rules: Rule, strict: bool = False) -> Program:
    """All files, read with the rules."""
    texts = files(source)
    roots = source_roots(frozenset(texts))
    facts: list[FileFacts] = []
    for path, text in texts.items():
        facts.append(read_facts(path, text.encode(), roots=roots, rules=rules))
        assert not facts[-1].outline.error, f"{path}: {facts[-1].outline.error}"
    return Program(facts, strict=strict)


def findings(rule: Rule, source: Source) -> list[Finding]:
    """What the rule finds, by path and line."""
    everything = program(source, rule)
    candidates = [one for facts in everything.files.values() for one in facts.candidates]
    if hasattr(rule, "check_program"):
        candidates += rule.check_program(everything)
    found = judge(candidates, everything, {rule.info.rule: rule.info})
    return sorted(found, key=lambda one: (one.location.path, one.location.line, one.location.column))


def finds(rule: Rule, source: Source, *severities: str, on: str = "") -> list[Finding]:
    """Asserts that the rule finds something: as many as `severities`, in their order, or one of any severity.

    `on` is a part of the line that the first finding is on.
    """
    found = findings(rule, source)
    said = [f"{one.location.path}:{one.location.line} {one.severity}: {one.message}" for one in found]
    assert len(found) == (len(severities) or 1), said
    if severities:
        assert tuple(one.severity for one in found) == severities, said
    if on:
        place = found[0].location
        line = files(source)[place.path].splitlines()[place.line - 1]
        assert on in line, f"found on {line!r}"
    return found


def quiet(rule: Rule, source: Source) -> None:
    """Asserts that the rule finds nothing."""
    found = findings(rule, source)
    assert [f"{one.location.path}:{one.location.line} {one.severity}: {one.message}" for one in found] == []
