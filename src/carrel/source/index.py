"""Facts about files, kept on disk by the content they were read from."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from carrel.errors import SourceError
from carrel.source.files import SourceFile, SourceTree, digest

__all__ = ["Index"]

Facts = TypeVar("Facts")
_FEW: Final = 64
"""Files that are read here rather than in processes that must be started first."""
_BATCH: Final = 1 << 20
"""Bytes of source in one task."""


class _Entry(msgspec.Struct, array_like=True):
    size: int
    modified_ns: int
    digest: bytes
    facts: msgspec.Raw


class Index(Generic[Facts]):
    """Reads facts from files, each content once, in all processors.

    `read` is a module-level function from a path and the bytes of a file to its facts, or `None` where there are none
    to keep; `facts` is their msgspec type. `version` names what `read` does: another version, or another Python, reads
    anew. With `directory=None` nothing is kept. A damaged or unwritable cache is as good as none.

    A file whose size and time of change are those of last time is not opened again.
    """

    def __init__(
        self,
        tree: SourceTree,
        read: Callable[[str, bytes], Facts | None],
        facts: type[Facts],
        *,
        version: str,
        directory: Path | None,
        jobs: int = 0,
    ) -> None:
        self._tree = tree
        self._read = read
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(facts | None)
        self._file = directory / f"{version}-py{sys.version_info.major}{sys.version_info.minor}" if directory else None
        self._jobs = jobs or os.cpu_count() or 1
        self.read_count = 0
        """Files that had to be read the last time."""

    def facts(
        self, files: Sequence[SourceFile], progress: Callable[[int, int], None] | None = None
    ) -> dict[str, Facts]:
        """The facts of each file that has any, by path; `progress` is told how many of how many are done.

        A file that cannot be read has none.
        """
        known = self._load()
        entries: dict[str, _Entry] = {}
        stale: list[SourceFile] = []
        for file in files:
            entry = known.get(file.path)
            if entry is not None and entry.size == file.size and entry.modified_ns == file.modified_ns:
                entries[file.path] = entry
            else:
                stale.append(file)
        self.read_count = len(stale)
        done = len(entries)
        if progress is not None:
            progress(done, len(files))
        expected = {file.path: known[file.path].digest for file in stale if file.path in known}
        for batch in self._read_all(stale, expected):
            for file, content, packed in batch:
                facts = known[file.path].facts if packed is None else msgspec.Raw(packed)
                entries[file.path] = _Entry(file.size, file.modified_ns, content, facts)
            done += len(batch)
            if progress is not None:
                progress(done, len(files))
        if stale or len(known) != len(entries):
            self._save(entries)
        decoded = ((path, self._decoder.decode(entry.facts)) for path, entry in entries.items())
        return {path: one for path, one in decoded if one is not None}

    def _read_all(
        self, files: Sequence[SourceFile], expected: Mapping[str, bytes]
    ) -> Iterator[list[tuple[SourceFile, bytes, bytes | None]]]:
        batches = _batches(files)
        if self._jobs == 1 or len(files) < _FEW:
            # Looking through all that the process has costs more than what one batch leaves.
            read = _read_and_sweep if len(batches) > 1 else _read_batch
            for batch in batches:
                yield _beside(batch, read(self._tree, self._read, batch, expected))
            return
        # Not at the top: where everything is known, importing these would take longer than all the rest.
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        # Forked workers have the code already; a spawned one would import it all again.
        start = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
        workers = ProcessPoolExecutor(self._jobs, multiprocessing.get_context(start), initializer=_start_worker)
        with workers:
            tasks = [
                workers.submit(_read_and_sweep, self._tree, self._read, batch, _expected_of(batch, expected))
                for batch in batches
            ]
            for batch, task in zip(batches, tasks, strict=True):
                yield _beside(batch, task.result())

    def _load(self) -> dict[str, _Entry]:
        if self._file is None:
            return {}
        try:
            return msgspec.msgpack.decode(self._file.read_bytes(), type=dict[str, _Entry])
        except (OSError, msgspec.MsgspecError):
            return {}

    def _save(self, entries: dict[str, _Entry]) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            ignore = self._file.parent / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            fresh = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            fresh.write_bytes(self._encoder.encode(entries))
            fresh.replace(self._file)
        except OSError:
            return


def _beside(
    batch: list[SourceFile], read: list[tuple[bytes, bytes | None]]
) -> list[tuple[SourceFile, bytes, bytes | None]]:
    return [(file, content, packed) for file, (content, packed) in zip(batch, read, strict=True)]


def _expected_of(batch: Iterable[SourceFile], expected: Mapping[str, bytes]) -> dict[str, bytes]:
    return {file.path: expected[file.path] for file in batch if file.path in expected}


def _read_batch(
    tree: SourceTree,
    read: Callable[[str, bytes], object],
    batch: list[SourceFile],
    expected: Mapping[str, bytes],
) -> list[tuple[bytes, bytes | None]]:
    """The digest and the packed facts of each file; `None` for those of a file that has the digest `expected`."""
    found: list[tuple[bytes, bytes | None]] = []
    for file in batch:
        try:
            data = tree.read(file.path)
        except SourceError:
            found.append((b"", msgspec.msgpack.encode(None)))
            continue
        before = expected.get(file.path)
        content = _digest(file, data) if before else b""
        if before and content == before:
            found.append((content, None))
            continue
        facts = read(file.path, data)
        # Finding out again that there is nothing costs no more than naming the content.
        content = content or (_digest(file, data) if facts is not None else b"")
        found.append((content, msgspec.msgpack.encode(facts)))
    return found


def _digest(file: SourceFile, data: bytes) -> bytes:
    # With the path, which facts may name.
    return digest(data, os.fsencode(file.path))


def _start_worker() -> None:
    """What was there before is never garbage, and nobody else looks for any: a batch is swept at once."""
    gc.freeze()
    gc.disable()


def _read_and_sweep(
    tree: SourceTree, read: Callable[[str, bytes], object], batch: list[SourceFile], expected: Mapping[str, bytes]
) -> list[tuple[bytes, bytes | None]]:
    """As `_read_batch`; where the collector is off, what it leaves is collected: syntax trees, large and in cycles."""
    try:
        return _read_batch(tree, read, batch, expected)
    finally:
        if not gc.isenabled():
            gc.collect()


def _batches(files: Sequence[SourceFile]) -> list[list[SourceFile]]:
    batches: list[list[SourceFile]] = []
    size = 0
    # The largest first, so that no worker is left with one at the end.
    for file in sorted(files, key=lambda file: (-file.size, file.path)):
        if not batches or size + file.size > _BATCH:
            batches.append([])
            size = 0
        batches[-1].append(file)
        size += file.size
    return batches
