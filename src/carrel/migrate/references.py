"""Every reference to what a recipe moves, found by what names are bound to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from carrel.migrate.outlines import CACHE, read_outlines
from carrel.migrate.phases import REST, needs_distances, phase_of, phases_of
from carrel.migrate.recipe import Recipe
from carrel.migrate.reference import READER, Certainty, Kind, Reference, Scan
from carrel.source import SourceFile, SourceTree

if TYPE_CHECKING:
    from carrel.source import ImportGraph

__all__ = ["Certainty", "Kind", "Reference", "Scan", "find_references", "read_import_graph"]

_LARGEST: Final = 8 << 20
"""Bytes of the largest file that is searched."""
_BINARY: Final = (
    ".png", ".jpg", ".jpeg", ".gif", ".ico", ".pdf", ".zip", ".gz", ".tar", ".whl", ".so", ".dll", ".pyc", ".woff",
    ".woff2", ".ttf", ".mp4", ".mp3", ".sqlite", ".db", ".parquet", ".npy",
)  # fmt: skip


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
    scan = _scan(tree, files, recipe, jobs=jobs, cache=cache, progress=progress)
    if kept is not None:
        _keep_scan(kept, scan)
    return replace(scan, seconds=time.perf_counter() - begun)


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
    from carrel.source import ImportGraph, Project

    outlines = read_outlines(tree, jobs=jobs, cache=cache, progress=progress)
    return ImportGraph.of(Project(outlines, outlines.__getitem__, roots=recipe.tree.roots))


def _scan(
    tree: SourceTree,
    files: Sequence[SourceFile],
    recipe: Recipe,
    *,
    jobs: int,
    cache: bool,
    progress: Callable[[int, int], None] | None,
) -> Scan:
    # Not at the top: where nothing has changed, importing these would take longer than all the rest.
    from carrel.migrate.facades import with_facades_last
    from carrel.migrate.search import Search

    search = Search(tree, files, recipe, jobs=jobs, cache=cache)
    search.run(progress)
    rules = phases_of(recipe)
    distances: dict[str, int] = {}
    if needs_distances(rules):
        distances = read_import_graph(tree, recipe, jobs=jobs, cache=cache).distances(search.moved.homes())
    placed = [replace(one, phase=phase_of(one.path, rules, distances)) for one in search.references()]
    order = tuple(dict.fromkeys((*(rule.name for rule in rules), REST)))
    return Scan(
        references=tuple(with_facades_last(placed, order, search.path_of)),
        unparsable=search.unparsable(),
        files=len(files),
        python_files=sum(file.is_python for file in files),
        parsed=sum(1 for found in search.facts.values() if found.outline is not None),
        mentions=sum(found.mentions for found in search.facts.values()),
        mention_files=sum(1 for found in search.facts.values() if found.mentions),
        missing=tuple(search.moved.missing),
    )


def _key(recipe: Recipe, files: Sequence[SourceFile]) -> str:
    """Equal for the same recipe on the same files, as far as their sizes and times tell."""
    stats = [(file.path.encode(errors="surrogateescape"), file.size, file.modified_ns) for file in files]
    return blake2b(msgspec.msgpack.encode((READER, sys.version_info[:2], recipe, stats)), digest_size=8).hexdigest()


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
