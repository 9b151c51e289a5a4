"""What becomes of the files that hold references: edited and checked, or left with the reason."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carrel.errors import SourceError
from carrel.migrate.edits import EDITS
from carrel.migrate.edits.documentation import new_mention
from carrel.migrate.edits.file_edit import FileEdit
from carrel.migrate.facades import needed_facades
from carrel.migrate.file_gate import gate_problem
from carrel.migrate.loading import loaded_with
from carrel.migrate.maker import missing_makers, with_makers
from carrel.migrate.outcome import Edited, FileOutcome, LeftReference, Refused, Unchanged
from carrel.migrate.recipe import Recipe
from carrel.migrate.references import Reference
from carrel.source import Outline, Project, SourceTree, read_module, read_outline

__all__ = ["Rewriter"]

_FEW: Final = 8
"""Files that are edited here rather than in processes that must be started first."""
_SWEPT: Final = 16
"""Files that a worker edits before it looks for garbage."""
_MENTIONS: Final = ("doc", "comment")


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Edits the files of a tree as a recipe says. Reads them, and writes nothing."""

    recipe: Recipe
    jobs: int = 0

    def __call__(
        self, root: Path, references: Sequence[Reference], every: Sequence[Reference] | None = None
    ) -> Iterator[FileOutcome]:
        """The outcome of each file that holds one of `references`, in the order of their paths.

        `every` are the references of the whole tree, for what other files reach in these; the same ones when not given.
        A file that others go through keeps an old symbol which any of them still needs.
        """
        every = references if every is None else every
        tree = SourceTree(root, exclude=self.recipe.tree.exclude)
        project = _project(self.recipe, tree, [file.path for file in tree.files()])
        kept = _reached_names(project, every)
        chosen = frozenset(references)
        needed = needed_facades((one for one in every if one not in chosen), project.path)
        by_path: dict[str, list[Reference]] = defaultdict(list)
        for reference in references:
            by_path[reference.path].append(reference)
        outcomes: dict[str, FileOutcome] = {}
        makers = missing_makers(self.recipe, tree, project, {one.symbol for one in references})
        promised = frozenset(maker.name for maker in makers)
        waiting: Collection[str] = by_path
        while waiting:
            share = {path: by_path[path] for path in sorted(waiting)}
            outcomes.update(self._outcomes(_Work(self.recipe, tree, project, kept, needed, promised), share))
            more = needed_facades(_staying(outcomes.values()), project.path)
            # What was left makes others stay, which may be left for that in turn.
            waiting = [
                path
                for path, symbols in more.items()
                if path in by_path and symbols.keys() - needed.get(path, {}).keys()
            ]
            needed = {path: {**more.get(path, {}), **needed.get(path, {})} for path in (*needed, *more)}
        outcomes.update(with_makers(tree, makers, outcomes))
        yield from (outcomes[path] for path in sorted(outcomes))

    def _outcomes(self, work: _Work, files: Mapping[str, Sequence[Reference]]) -> dict[str, FileOutcome]:
        jobs = self.jobs or os.cpu_count() or 1
        paths = list(files)
        if jobs == 1 or len(paths) < _FEW or "fork" not in multiprocessing.get_all_start_methods():
            return {path: work.outcome(path, files[path]) for path in paths}
        # One share of the files for each worker, since each has to know all the modules.
        shares = [{path: files[path] for path in paths[first::jobs]} for first in range(jobs)]
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as workers:
            tasks = [workers.submit(_in_worker, self.recipe, work.setting, share) for share in shares]
            return {outcome.path: outcome for task in tasks for outcome in task.result()}


def _staying(outcomes: Iterable[FileOutcome]) -> Iterator[Reference]:
    """The references that still lead to an old symbol."""
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            yield from outcome.references
        else:
            yield from (one.reference for one in outcome.left if not one.moved)


def _in_worker(recipe: Recipe, setting: _Setting, share: Mapping[str, Sequence[Reference]]) -> list[FileOutcome]:
    tree = SourceTree(setting.root, exclude=recipe.tree.exclude)
    project = _project(recipe, tree, setting.paths)
    work = _Work(recipe, tree, project, setting.kept, setting.needed, setting.promised)
    # Syntax trees are large and short-lived: the collector would look through them all the time, and find nothing.
    gc.freeze()
    gc.disable()
    outcomes = []
    for path, references in share.items():
        outcomes.append(work.outcome(path, references))
        if len(outcomes) % _SWEPT == 0:
            gc.collect()
    return outcomes


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a worker has to be told."""

    root: Path
    paths: Sequence[str]
    kept: Mapping[str, frozenset[str]]
    needed: Mapping[str, Mapping[str, str]]
    promised: frozenset[str]
    """Dotted names that will exist when they are called."""


def _project(recipe: Recipe, tree: SourceTree, paths: Sequence[str]) -> Project:
    return Project(paths, lambda path: _outline(tree, path), roots=recipe.tree.roots)


class _Work:
    def __init__(
        self,
        recipe: Recipe,
        tree: SourceTree,
        project: Project,
        kept: Mapping[str, frozenset[str]],
        needed: Mapping[str, Mapping[str, str]],
        promised: frozenset[str],
    ) -> None:
        self._recipe = recipe
        self._tree = tree
        self._project = project
        self._kept = kept
        self._needed = needed
        self._promised = promised
        self._loaded: dict[str, frozenset[str]] = {}

    @property
    def setting(self) -> _Setting:
        return _Setting(self._tree.root, self._project.paths, self._kept, self._needed, self._promised)

    def outcome(self, path: str, references: Sequence[Reference]) -> FileOutcome:
        mentions = [one for one in references if one.kind in _MENTIONS]
        code = [one for one in references if one.kind not in _MENTIONS]
        try:
            before = self._tree.read(path)
            if not path.endswith((".py", ".pyi")):
                return self._text(path, before, mentions, code)
            module = read_module(path, self._project.name(path), before)
        except SourceError as error:
            return Refused(path=path, reason=str(error), references=tuple(references))
        kept, needed = self._kept.get(path, frozenset()), self._needed.get(path, {})
        edit = FileEdit(module, self._recipe, code, kept, needed, self._loads)
        try:
            for one in EDITS:
                one.edit(edit)
        except ValueError as error:
            return Refused(path=path, reason=str(error), references=tuple(references))
        left = tuple(edit.left)
        if edit.splices.ranges:
            after = module.text.encode(edit.splices.apply())
            problem = gate_problem(edit, after, self._exists)
            if problem:
                return Refused(path=path, reason=problem, references=tuple(references))
        edits = len(edit.splices.ranges)
        for mention in mentions:
            new = new_mention(self._recipe, mention)
            if new is not None and not edit.splices.touches(mention.start, mention.end):
                edit.replace(mention, new)
                edits += 1
        if not edits:
            return Unchanged(path=path, left=left)
        return Edited(
            path=path, before=before, after=module.text.encode(edit.splices.apply()), edits=edits, left=left,
            makers=edit.makers,
        )  # fmt: skip

    def _loads(self, module: str) -> frozenset[str]:
        known = self._loaded.get(module)
        if known is None:
            path = self._project.path(module)
            found = loaded_with(self._project, path, packages=True) if path is not None else frozenset()
            known = self._loaded[module] = found
        return known

    def _text(self, path: str, before: bytes, mentions: Sequence[Reference], names: Sequence[Reference]) -> FileOutcome:
        """A file that is no Python: documentation is edited, and what a program reads is left."""
        left = tuple(LeftReference(reference=one, reason=one.reason) for one in names)
        after, at, edits = b"", 0, 0
        for mention in sorted(mentions, key=lambda one: one.start):
            new = new_mention(self._recipe, mention)
            if new is not None and mention.start >= at:
                after += before[at : mention.start] + new.encode()
                at = mention.end
                edits += 1
        if not edits:
            return Unchanged(path=path, left=left)
        return Edited(path=path, before=before, after=after + before[at:], edits=edits, left=left)

    def _exists(self, dotted: str) -> bool:
        """Whether an import can find the name: in the tree, or in a package that the tree does not hold."""
        return dotted in self._promised or all(one.kind != "missing" for one in self._project.resolve(dotted))


def _reached_names(project: Project, references: Iterable[Reference]) -> dict[str, frozenset[str]]:
    """For each file, the names at its top that other files or patches reach through it."""
    found: dict[str, set[str]] = defaultdict(set)
    for reference in references:
        if reference.kind not in ("import", "patch_target", "data", "name", "call", "base", "annotation"):
            continue
        for module in reference.via:
            path = project.path(module)
            if path is None or path == reference.path or not reference.written.startswith(f"{module}."):
                continue
            found[path].add(reference.written[len(module) + 1 :].partition(".")[0])
    return {path: frozenset(names) for path, names in found.items()}


def _outline(tree: SourceTree, path: str) -> Outline:
    try:
        return read_outline(tree.read(path))
    except SourceError as error:
        return Outline(error=error.problem)
