"""Imports running in this process: each reads a file in pieces, and is shown to its user as a run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from types import MappingProxyType
from typing import BinaryIO, Final, Literal, NamedTuple

import structlog

from carrel.context import (
    RequestId,
    RunId,
    ThreadId,
    UserContext,
    UserExecutionContext,
    UserId,
    ambient_context,
    new_id,
)
from carrel.delivery.bridge import WebSocketBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.delivery.log import EventLog
from carrel.errors import CarrelError, ConflictError
from carrel.optimizer.imports.mapping import ColumnMapping
from carrel.optimizer.imports.reader import UsageReader
from carrel.optimizer.imports.refusal import FileRefusedError
from carrel.runtime.failure import traceback_text
from carrel.storage.usage import (
    KEPT_REJECTIONS,
    ImportFailure,
    ImportRecord,
    RejectedRow,
    UsageRecord,
    UsageStore,
)

__all__ = ["IMPORT_AGENT", "OnError", "UsageImports"]

IMPORT_AGENT: Final = "usage_import"
"""The name under which an import's events are written."""

OnError = Literal["reject", "skip"]
"""What a bad row does: reject the whole file, or be left out."""

CHUNK: Final = 5_000
PROGRESS_ROWS: Final = 50_000
PROGRESS_SECONDS: Final = 1.0
MOST_AT_ONCE: Final = 4

_KINDS: Final = MappingProxyType(
    {
        "carrel": "carrel's own format",
        "openai": "OpenAI's usage export",
        "litellm": "LiteLLM's spend logs",
        "mapping": "a table with your column mapping",
    }
)

_log: Final = structlog.get_logger(__name__)


class _Chunk(NamedTuple):
    records: list[UsageRecord]
    rejected: list[RejectedRow]
    rows_rejected: int
    rows: int
    over: bool


class _InterruptedError(Exception):
    """The server is stopping."""


class UsageImports:
    """Runs imports. Their records become visible all at once, when the last row is written, or never.

    An import appears in its user's log as a run of the agent `usage_import`, whose run and thread ids are the import's.
    """

    def __init__(self, *, store: UsageStore, log: EventLog, bridge: WebSocketBridge) -> None:
        self._store = store
        self._log = log
        self._bridge = bridge
        self._tasks: dict[asyncio.Task[None], UserId] = {}
        self._stopping = asyncio.Event()

    async def start(
        self,
        user: UserContext,
        file: BinaryIO,
        file_name: str,
        *,
        mapping: ColumnMapping | None = None,
        on_error: OnError = "reject",
    ) -> str:
        """Begin to import `file`, which belongs to the import from now on and is closed by it; returns the import's id.

        Raises `ConflictError` when the server is stopping or the user has too many imports running; then the file is
        still the caller's.
        """
        if self._stopping.is_set():
            raise ConflictError("stopping", "the server is stopping; upload the file again in a moment")
        if sum(owner == user.user_id for owner in self._tasks.values()) >= MOST_AT_ONCE:
            raise ConflictError(
                "imports_running", f"{MOST_AT_ONCE} of your imports are running; wait until one of them is over"
            )
        import_id = new_id()
        context = UserExecutionContext(
            user_id=user.user_id,
            thread_id=ThreadId(import_id),
            run_id=RunId(import_id),
            request_id=RequestId(new_id()),
            permissions=user.permissions,
        )
        name = "".join(letter if letter.isprintable() else "?" for letter in file_name)[:200] or "upload"
        await self._store.create_import(context, import_id, name)
        task = asyncio.create_task(self._run(context, file, name, mapping, on_error), name=f"import {import_id}")
        self._tasks[task] = user.user_id
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return import_id

    async def recover(self) -> int:
        """Clean up what a crash left behind; to be called once at start. Returns how many imports were open.

        The runs that showed them are completed by the event log's own recovery.
        """
        return await self._store.recover()

    async def close(self, seconds: float = 10.0) -> None:
        """Interrupt every import; what it wrote is removed. Returns when all are over or after `seconds`."""
        self._stopping.set()
        tasks = list(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)

    async def _run(
        self,
        context: UserExecutionContext,
        file: BinaryIO,
        name: str,
        mapping: ColumnMapping | None,
        on_error: OnError,
    ) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        emitter = WebSocketEmitter(context, self._log, self._bridge)
        with ambient_context(context), structlog.contextvars.bound_contextvars(**context.correlation()):
            try:
                await emitter.started(IMPORT_AGENT, name)
                record = await _Import(self._store, context, emitter, self._stopping, on_error).run(file, mapping)
                elapsed = (loop.time() - started) * 1000
                await _announce(emitter, record, elapsed)
            except (CarrelError, _InterruptedError, asyncio.CancelledError) as error:
                await self._give_up(context, emitter, error)
                if isinstance(error, asyncio.CancelledError):
                    raise
            except Exception as error:  # noqa: BLE001 - whatever it was, the import must not stay open
                _log.error("import failed", exception=traceback_text(error))
                await self._give_up(context, emitter, error)
            finally:
                await asyncio.to_thread(file.close)

    async def _give_up(self, context: UserExecutionContext, emitter: WebSocketEmitter, error: BaseException) -> None:
        stopped = isinstance(error, (_InterruptedError, asyncio.CancelledError))
        if stopped:
            failure = ImportFailure(
                "interrupted", "the server stopped while this file was imported; nothing was kept: upload it again"
            )
        elif isinstance(error, CarrelError):
            failure = ImportFailure("import_failed", f"nothing was imported: {error}")
        else:
            failure = ImportFailure("import_failed", "nothing was imported: an error in the server; see its log")
        with contextlib.suppress(CarrelError):  # the next start cleans up what cannot be written now
            await self._store.reject_import(
                context, context.run_id, failure, state="interrupted" if stopped else "failed"
            )
        with contextlib.suppress(CarrelError):
            await emitter.close_open("interrupted" if stopped else "failed", failure.code, failure.message)


class _Import:
    """One import on its way."""

    def __init__(
        self,
        store: UsageStore,
        context: UserExecutionContext,
        emitter: WebSocketEmitter,
        stopping: asyncio.Event,
        on_error: OnError,
    ) -> None:
        self._store = store
        self._context = context
        self._emitter = emitter
        self._stopping = stopping
        self._skips = on_error == "skip"
        self._imported = self._rows = self._rows_rejected = 0
        self._rejected: list[RejectedRow] = []
        self._told_rows = 0
        self._told_at = asyncio.get_running_loop().time()

    async def run(self, file: BinaryIO, mapping: ColumnMapping | None) -> ImportRecord:
        """Read and store the file; returns how it ended, and raises only what is no fault of the file's."""
        try:
            reader = await asyncio.to_thread(UsageReader, file, mapping)
            await self._emitter.thinking(f"The file is read as {_KINDS[reader.layout]}.")
            rows = iter(reader)
            over = False
            while not over:
                if self._stopping.is_set():
                    raise _InterruptedError
                chunk = await asyncio.to_thread(_read, reader, rows)
                over = chunk.over
                await self._take(chunk)
        except FileRefusedError as error:
            return await self._reject(error.failure)
        if self._rows_rejected and not (self._skips and self._imported):
            return await self._reject(self._bad_rows())
        if not self._imported:
            return await self._reject(ImportFailure("no_rows", "the file has a header and no usage records"))
        return await self._store.finish_import(self._context, self._context.run_id)

    async def _take(self, chunk: _Chunk) -> None:
        self._rows = chunk.rows
        self._rows_rejected += chunk.rows_rejected
        self._rejected += chunk.rejected[: KEPT_REJECTIONS - len(self._rejected)]
        # After a bad row of a file that is to be rejected, the rest is only read to tell of its bad rows too.
        records = chunk.records if self._skips or not self._rows_rejected else []
        await self._store.add_records(
            self._context,
            self._context.run_id,
            records,
            rows_read=self._rows,
            rejected=self._rejected,
            rows_rejected=self._rows_rejected,
        )
        self._imported += len(records)
        now = asyncio.get_running_loop().time()
        if not chunk.over and (
            self._rows - self._told_rows >= PROGRESS_ROWS or now - self._told_at >= PROGRESS_SECONDS
        ):
            self._told_rows, self._told_at = self._rows, now
            rejected = f", {self._rows_rejected:,} rejected" if self._rows_rejected else ""
            await self._emitter.thinking(f"{self._rows:,} rows read{rejected}.")

    async def _reject(self, failure: ImportFailure) -> ImportRecord:
        return await self._store.reject_import(
            self._context,
            self._context.run_id,
            failure,
            rows_read=self._rows,
            rejected=self._rejected,
            rows_rejected=self._rows_rejected,
        )

    def _bad_rows(self) -> ImportFailure:
        first = self._rejected[0]
        where = f"row {first.row}: {first.field} {first.reason}".replace(":  ", ": ")
        rows = "row is no usage record" if self._rows_rejected == 1 else "rows are no usage records"
        return ImportFailure(
            "rejected_rows",
            f"nothing was imported, because {self._rows_rejected:,} of {self._rows:,} {rows} ({where}); "
            "correct the file, or choose to skip bad rows (on_error=skip)",
        )


def _read(reader: UsageReader, rows: Iterator[UsageRecord | RejectedRow]) -> _Chunk:
    records: list[UsageRecord] = []
    rejected: list[RejectedRow] = []
    rows_rejected = 0
    end = reader.rows + CHUNK
    for row in rows:
        if isinstance(row, UsageRecord):
            records.append(row)
        else:
            rows_rejected += 1
            if len(rejected) < KEPT_REJECTIONS:
                rejected.append(row)
        if reader.rows >= end:
            return _Chunk(records, rejected, rows_rejected, reader.rows, over=False)
    return _Chunk(records, rejected, rows_rejected, reader.rows, over=True)


async def _announce(emitter: WebSocketEmitter, record: ImportRecord, duration_ms: float) -> None:
    if record.failure is not None:
        error = {"code": record.failure.code, "message": record.failure.message}
        await emitter.completed("failed", duration_ms, error=error)
        return
    rejected = f"; {record.rows_rejected:,} rows were rejected" if record.rows_rejected else ""
    await emitter.completed(
        "succeeded", duration_ms, output=f"{record.rows_imported:,} records imported from {record.file_name}{rejected}."
    )
