"""Looks for references: reads the files that may have them, and resolves the names that it finds there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import Final

import msgspec

from carrel.errors import SourceError
from carrel.findings import Unparsable
from carrel.migrate.data_names import is_data
from carrel.migrate.moved import Match, Moved
from carrel.migrate.outlines import CACHE
from carrel.migrate.recipe import Recipe
from carrel.migrate.reference import READER, Certainty, Reference
from carrel.migrate.site import FileSites, Site
from carrel.migrate.sites import read_sites
from carrel.migrate.wanted import Wanted
from carrel.source import Index, Outline, Project, SourceFile, SourceTree, read_outline

__all__ = ["Search"]

_ROUNDS: Final = 8
"""Renamed re-exports followed: each round finds the files that take what the round before found."""


class Search:
    """Reads files in rounds: first those that have the names themselves, then those that have the names found so."""

    def __init__(
        self, tree: SourceTree, files: Sequence[SourceFile], recipe: Recipe, *, jobs: int, cache: bool
    ) -> None:
        self._tree = tree
        self._jobs = jobs
        self._cache = tree.root / CACHE if cache else None
        self.files = files
        self.facts: dict[str, FileSites] = {}
        paths = [file.path for file in self.files if file.is_python]
        self._project = Project(paths, self._outline, roots=recipe.tree.roots)
        self.moved = Moved(recipe, self._project)

    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        wanted = self.moved.wanted()
        first = wanted.names
        mentioning: set[str] = set()
        known = frozenset(wanted.names)
        files: Sequence[SourceFile] = self.files
        for _ in range(_ROUNDS):
            found = self._read(wanted, files, progress)
            mentioning.update(path for path, facts in found.items() if facts.mentions)
            for path, facts in found.items():
                before = self.facts.get(path)
                self.facts[path] = facts if before is None else _joined(before, facts)
            parsed = [path for path, facts in found.items() if facts.outline is not None and not facts.outline.error]
            others = dict(self.moved.other_names(parsed, known))
            if not others:
                return
            known |= others.keys()
            wanted = Wanted(tuple(sorted(others)), tuple(sorted(set(others.values()))), wanted.attributes)
            # `MyEngine` is only in files that have `Engine` in them.
            within = all(any(one in name for one in first) for name in others)
            files = [
                file
                for file in self.files
                if (file.is_python or is_data(file.path)) and (not within or file.path in mentioning)
            ]
            progress = None

    def references(self) -> list[Reference]:
        found: dict[tuple[str, int, str], Reference] = {}
        for path in sorted(self.facts):
            for site in self.facts[path].sites:
                match = self.moved.match_site(site)
                if match is None or self.moved.is_home(path, match.symbol):
                    continue
                key = path, site.start, "import" if site.kind == "import" else ""
                known = found.get(key)
                if known is None or known.end < site.end:
                    found[key] = _reference(path, site, match)
        return sorted(found.values(), key=lambda one: (one.path, one.start, one.end))

    def path_of(self, module: str) -> str | None:
        """The file of a module."""
        return self._project.path(module)

    def unparsable(self) -> tuple[Unparsable, ...]:
        failed = [(path, facts.outline) for path, facts in sorted(self.facts.items()) if facts.outline is not None]
        return tuple(
            Unparsable(path=path, line=outline.error_line, message=outline.error)
            for path, outline in failed
            if outline.error
        )

    def _read(
        self, wanted: Wanted, files: Sequence[SourceFile], progress: Callable[[int, int], None] | None
    ) -> dict[str, FileSites]:
        roots = self._project.roots
        key = blake2b(msgspec.msgpack.encode((READER, wanted, roots)), digest_size=8).hexdigest()
        index = Index(
            self._tree, partial(read_sites, wanted, roots), FileSites,
            version=f"references-{key}", directory=self._cache, jobs=self._jobs,
        )  # fmt: skip
        return index.facts(files, progress)

    def _outline(self, path: str) -> Outline:
        facts = self.facts.get(path)
        if facts is not None and facts.outline is not None:
            return facts.outline
        try:
            return read_outline(self._tree.read(path))
        except SourceError as error:
            return Outline(error=error.problem)


def _joined(one: FileSites, other: FileSites) -> FileSites:
    return FileSites(one.mentions, one.outline or other.outline, (*one.sites, *other.sites))


def _reference(path: str, site: Site, match: Match) -> Reference:
    certainty: Certainty = "string" if site.doubt else "mixed" if match.mixed else "certain"
    return Reference(
        path=path,
        line=site.line,
        column=site.column,
        end_line=site.end_line,
        end_column=site.end_column,
        kind=site.kind,
        certainty=certainty,
        symbol=match.symbol,
        resolved_to=match.resolved_to,
        via=match.via,
        text=site.text,
        start=site.start,
        end=site.end,
        written=match.written,
        bound=site.bound,
        in_async=site.in_async,
        reason=site.doubt or match.mixed,
    )
