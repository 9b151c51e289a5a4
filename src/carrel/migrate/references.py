"""Every reference to what a recipe moves, found by what names are bound to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

import msgspec

from carrel.errors import SourceError
from carrel.findings import Unparsable
from carrel.migrate.data_names import is_data
from carrel.migrate.facades import with_facades_last
from carrel.migrate.moved import Match, Moved
from carrel.migrate.outlines import CACHE, read_outlines
from carrel.migrate.phases import REST, needs_distances, phase_of, phases_of
from carrel.migrate.recipe import Recipe
from carrel.migrate.site import FileSites, Site
from carrel.migrate.sites import read_sites
from carrel.migrate.wanted import Wanted
from carrel.source import ImportGraph, Index, Outline, Project, SourceFile, SourceTree, read_outline

__all__ = ["Certainty", "Kind", "Reference", "Scan", "find_references", "read_import_graph"]

_READER: Final = "3"
"""Another number reads every file anew."""
_LARGEST: Final = 8 << 20
"""Bytes of the largest file that is searched."""
_BINARY: Final = (
    ".png", ".jpg", ".jpeg", ".gif", ".ico", ".pdf", ".zip", ".gz", ".tar", ".whl", ".so", ".dll", ".pyc", ".woff",
    ".woff2", ".ttf", ".mp4", ".mp3", ".sqlite", ".db", ".parquet", ".npy",
)  # fmt: skip
_ROUNDS: Final = 8
"""Renamed re-exports followed: each round finds the files that take what the round before found."""

Kind = Literal[
    "import", "call", "base", "annotation", "string_annotation", "attribute", "name", "patch_target", "dunder_all",
    "fallback_store", "doc", "comment", "data", "pickle",
]  # fmt: skip
"""What stands there.

`import`: one name of an import statement. `call`, `base`, `annotation`, `name`: a use by its role; the whole dotted
chain where a module leads to it. `string_annotation`: a name inside a quoted annotation. `attribute`: a renamed
attribute or method of a moved symbol, the name after the dot only. `patch_target`: a dotted name in a string.
`dunder_all`: its string in `__all__`. `fallback_store`: `X = None`, or a stand-in class, beside an import of `X` in a
`try`. `doc`, `comment`: its name in a docstring or comment. `data`: a dotted name in a data file. `pickle`: what loads
it in a pickle, whose bytes count as one line.
"""
Certainty = Literal["certain", "mixed", "string", "mention"]
"""`certain` ones are edited. `mixed`: the name is bound to something else too. `string`: only a string says so.
`mention`: text that no code reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One place that stands for something a recipe moves. Lines from 1, columns in UTF-8 bytes from 0, as in `ast`."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: Kind
    certainty: Certainty
    symbol: str
    """The `old` of the moved symbol or module."""
    resolved_to: str
    """The dotted name of what is referred to: of the definition, or below it (`…Class.method` for an attribute)."""
    via: tuple[str, ...] = ()
    """The modules that re-export it on the way, from the one named here."""
    phase: str = ""
    text: str = ""
    """The text of the range; the dotted name in a pickle."""
    start: int
    """The range in `SourceText.utf8`."""
    end: int
    written: str = ""
    """The dotted name that stands in the text, made absolute: `package.facade.Name`, or `package.facade.*`."""
    bound: str = ""
    """The local name that it is used by: `E` for `import … as E` and for each use of that `E`."""
    in_async: bool = False
    """Whether it is evaluated directly in an `async def`."""
    reason: str = ""
    """Why a person must look at it, when it is not certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What `find_references` found, ordered by path and place."""

    references: tuple[Reference, ...]
    unparsable: tuple[Unparsable, ...] = ()
    files: int = 0
    """Text files that were looked at, Python or not."""
    python_files: int = 0
    parsed: int = 0
    mentions: int = 0
    mention_files: int = 0
    seconds: float = 0.0
    missing: tuple[str, ...] = ()
    """The `old` names of the recipe that are defined nowhere in the tree."""

    def in_phase(self, phase: str) -> tuple[Reference, ...]:
        return tuple(one for one in self.references if one.phase == phase)


def find_references(
    root: str | Path | SourceTree,
    recipe: Recipe,
    *,
    jobs: int = 0,
    cache: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Every reference below a directory to what a recipe moves.

    Reads with `jobs` processes, all processors for 0. With `cache` what was read is kept in `.carrel` under the root,
    so that only files which have changed are read the next time. `progress` is told how many of how many files are
    done. Raises `SourceError` when the directory does not exist.
    """
    begun = time.perf_counter()
    tree = root if isinstance(root, SourceTree) else SourceTree(root, exclude=recipe.tree.exclude)
    files = [file for file in tree.files(suffixes=("",)) if _is_text(file)]
    kept = tree.root / CACHE / f"scan-{_key(recipe, files)}" if cache else None
    known = _kept_scan(kept) if kept is not None else None
    if known is not None:
        if progress is not None:
            progress(len(files), len(files))
        return replace(known, seconds=time.perf_counter() - begun)
    search = _Search(tree, files, recipe, jobs=jobs, cache=cache)
    search.run(progress)
    rules = phases_of(recipe)
    distances: dict[str, int] = {}
    if needs_distances(rules):
        distances = read_import_graph(tree, recipe, jobs=jobs, cache=cache).distances(search.moved.homes())
    placed = [replace(one, phase=phase_of(one.path, rules, distances)) for one in search.references()]
    order = tuple(dict.fromkeys((*(rule.name for rule in rules), REST)))
    references = with_facades_last(placed, order, search.path_of)
    scan = Scan(
        references=tuple(references),
        unparsable=search.unparsable(),
        files=len(files),
        python_files=sum(file.is_python for file in files),
        parsed=sum(1 for found in search.facts.values() if found.outline is not None),
        mentions=sum(found.mentions for found in search.facts.values()),
        mention_files=sum(1 for found in search.facts.values() if found.mentions),
        seconds=time.perf_counter() - begun,
        missing=tuple(search.moved.missing),
    )
    if kept is not None:
        _keep_scan(kept, scan)
    return scan


def read_import_graph(
    root: str | Path | SourceTree,
    recipe: Recipe,
    *,
    jobs: int = 0,
    cache: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> ImportGraph:
    """Who imports whom below a directory; reads every file once, and with `cache` only changed ones the next time."""
    tree = root if isinstance(root, SourceTree) else SourceTree(root, exclude=recipe.tree.exclude)
    outlines = read_outlines(tree, jobs=jobs, cache=cache, progress=progress)
    return ImportGraph.of(Project(outlines, outlines.__getitem__, roots=recipe.tree.roots))


class _Search:
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
        key = blake2b(msgspec.msgpack.encode((_READER, wanted, roots)), digest_size=8).hexdigest()
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


def _key(recipe: Recipe, files: Sequence[SourceFile]) -> str:
    """Equal for the same recipe on the same files, as far as their sizes and times tell."""
    stats = [(file.path.encode(errors="surrogateescape"), file.size, file.modified_ns) for file in files]
    return blake2b(msgspec.msgpack.encode((_READER, sys.version_info[:2], recipe, stats)), digest_size=8).hexdigest()


def _kept_scan(path: Path) -> Scan | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Scan)
    except (OSError, msgspec.MsgspecError):
        return None


def _keep_scan(path: Path, scan: Scan) -> None:
    """Keep one scan: the one of the files as they are now."""
    try:
        for old in path.parent.glob("scan-*"):
            old.unlink()
        path.write_bytes(msgspec.msgpack.encode(scan))
    except (OSError, UnicodeEncodeError):
        return


def _is_text(file: SourceFile) -> bool:
    return file.size <= _LARGEST and not file.path.lower().endswith(_BINARY)


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
        kind=site.kind,  # type: ignore[arg-type]
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
