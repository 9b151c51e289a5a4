"""One audit: reads a code base, runs the rules, and reports what they found."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from pathlib import Path
from time import perf_counter
from typing import Final

from carrel.audit.alike import gathered
from carrel.audit.baseline import Baseline
from carrel.audit.facts import FileFacts
from carrel.audit.file_facts import read_facts
from carrel.audit.judgement import judge
from carrel.audit.pins import PIN_SUFFIXES, find_pins, is_pin_file
from carrel.audit.program import Program
from carrel.audit.rule import Candidate, Rule, has_project_part
from carrel.audit.rules import RULES
from carrel.audit.score import score
from carrel.audit.selection import selected_rules
from carrel.audit.settings import AuditSettings
from carrel.audit.suppressions import suppress
from carrel.errors import SourceError
from carrel.findings import Report, RuleInfo, Summary, Unparsable, fingerprinted
from carrel.source import Index, SourceFile, SourceText, SourceTree
from carrel.source.module_names import outer_root, source_roots

__all__ = ["Progress", "audit"]

Progress = Callable[[int, int], None]
"""Is told how many of how many files have been read."""

_READERS: Final = ("carrel.audit", "carrel.source")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nobody looks for garbage inside: hundreds of thousands of facts are made, and all of them are kept."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_uncollected()
def audit(
    root: Path,
    settings: AuditSettings,
    *,
    rules: Sequence[Rule] = RULES,
    baseline: Baseline | None = None,
    cache: Path | None = None,
    jobs: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Check the Python files under a directory.

    `cache` is a directory in which facts are kept from one run to the next; `jobs` the processes that read, 0 for one
    per processor. Raises `SourceError` when the directory does not exist, and `SettingsError` for rules that do not.
    """
    started = perf_counter()
    checked = selected_rules(rules, settings.select, settings.ignore)
    tree = SourceTree(root, exclude=settings.excluded)
    everything = tree.files(suffixes=(".py", *PIN_SUFFIXES))
    files, unnamed = _with_names([file for file in everything if file.is_python])
    roots = _roots(tree, files, settings.roots)
    facts = _read(tree, files, roots, rules, cache, jobs, progress)
    manifests = tuple(file.path for file in everything if is_pin_file(file.path))
    program = Program(facts, find_pins(tree, everything), roots, manifests, strict=settings.strict)
    found = judge(_candidates(program, rules, checked), program, checked)
    left, suppressed = suppress(found, {one.path: one.suppressions for one in facts if one.suppressions}, checked)
    sources = _Sources(tree)
    findings = fingerprinted(left, sources)
    comparison = None
    if baseline is not None:
        findings, comparison = baseline.compare(findings)
    findings = gathered(findings, [one.rule for one in checked.values() if one.leak_classes])
    lines = {one.path: one.outline.lines for one in facts}
    entry_points = len(program.calls.entry_points)
    summary = Summary(
        files=len(facts),
        lines=sum(lines.values()),
        seconds=perf_counter() - started,
        score=score(findings, lines, has_entry_points=entry_points > 0, previous=baseline.score if baseline else None),
        unparsable=(*unnamed, *_unparsable(facts)),
        baseline=comparison,
        details=(("Entry points", str(entry_points)), ("Suppressed", str(suppressed))),
    )
    return Report(
        tool="audit",
        root=str(tree.root),
        rules=tuple(checked.values()),
        findings=findings,
        summary=summary,
        sources=sources,
    )


def _with_names(files: Iterable[SourceFile]) -> tuple[list[SourceFile], list[Unparsable]]:
    """The files whose paths are text, and complaints about those whose paths are only bytes."""
    named: list[SourceFile] = []
    unnamed: list[Unparsable] = []
    for file in files:
        if file.path.isprintable() or file.path.encode("utf-8", "ignore").decode() == file.path:
            named.append(file)
        else:
            unnamed.append(Unparsable(path=file.path, line=1, message="is not read: its name is not UTF-8"))
    return named, unnamed


def _roots(tree: SourceTree, files: Iterable[SourceFile], given: Iterable[str]) -> tuple[str, ...]:
    paths = frozenset(file.path for file in files)
    return source_roots(paths, (*given, *outer_root(tree.root, paths, tree.read)))


def _read(
    tree: SourceTree,
    files: Sequence[SourceFile],
    roots: Sequence[str],
    rules: Sequence[Rule],
    cache: Path | None,
    jobs: int,
    progress: Progress | None,
) -> list[FileFacts]:
    read = partial(read_facts, roots=roots, rules=tuple(rules))
    index = Index(tree, read, FileFacts, version=_version(roots, rules), directory=cache, jobs=jobs)
    facts = index.facts(files, progress)
    return [facts[path] for path in sorted(facts)]


def _version(roots: Sequence[str], rules: Sequence[Rule]) -> str:
    """Names what reads the files: another carrel, other rules or other roots read anew."""
    hashed = blake2b(digest_size=8)
    for package in _READERS:
        for path, data in _code(package_files(package)):
            hashed.update(path.encode() + b"\0" + data)
    hashed.update(repr((tuple(roots), [rule.info.rule for rule in rules])).encode())
    return f"audit-{hashed.hexdigest()}"


def _code(directory: Traversable) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(directory.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _code(entry)
        elif entry.name.endswith(".py"):
            yield entry.name, entry.read_bytes()


def _candidates(program: Program, rules: Sequence[Rule], checked: dict[str, RuleInfo]) -> Iterator[Candidate]:
    for facts in program.files.values():
        yield from facts.candidates
    for rule in rules:
        if has_project_part(rule) and rule.info.rule in checked:
            yield from rule.check_program(program)


def _unparsable(facts: Iterable[FileFacts]) -> Iterator[Unparsable]:
    for one in facts:
        if one.outline.error:
            yield Unparsable(path=one.path, line=one.outline.error_line, message=one.outline.error)


class _Sources:
    """The lines of the files that findings are in, each file read once."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._lines: dict[str, Sequence[str]] = {}

    def __call__(self, path: str) -> Sequence[str]:
        found = self._lines.get(path)
        if found is None:
            found = self._lines[path] = self._read(path)
        return found

    def _read(self, path: str) -> Sequence[str]:
        try:
            text = SourceText(self._tree.read(path))
        except SourceError:
            return ()
        return [text.line(number) for number in range(1, len(text.line_starts) + 1)]
