"""Imports: shown as runs, all or nothing, in bounded memory, interrupted cleanly."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Any, BinaryIO

import pytest

from carrel.delivery.bridge import LocalBridge
from carrel.errors import ConflictError, StorageError
from carrel.events import RunGrammar, decode_event
from carrel.optimizer.imports import importer
from carrel.optimizer.imports.importer import IMPORT_AGENT, UsageImports
from carrel.optimizer.imports.mapping import parse_mapping
from carrel.storage.usage import ImportRecord, UsageStore
from carrel.storage.usage_figures import UsageFigures
from carrel.testing.event_log import MemoryEventLog
from tests.optimizer.conftest import user
from tests.optimizer.imports.reading import HEADER, ROW, data


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog()


@pytest.fixture
async def imports(store: UsageStore, log: MemoryEventLog) -> AsyncIterator[UsageImports]:
    imports = UsageImports(store=store, log=log, bridge=LocalBridge())
    yield imports
    await imports.close()


async def ended(store: UsageStore, import_id: str, name: str = "ada") -> ImportRecord:
    while (record := await store.get_import(user(name), import_id)).state == "running":
        await asyncio.sleep(0.01)
    return record


async def events(log: MemoryEventLog, import_id: str, name: str = "ada") -> list[Any]:
    """The import's events, once its run is over."""
    while True:
        found = [decode_event(one.body) for one in log.events(user(name)) if one.run_id == import_id]
        if found and found[-1].ends_run:
            grammar = RunGrammar()
            for event in found:
                grammar.accept(event)
            assert grammar.over
            return found
        await asyncio.sleep(0.01)


async def test_a_good_file_is_imported_and_shown_as_a_run(
    imports: UsageImports, store: UsageStore, log: MemoryEventLog
) -> None:
    file = data("\n".join([HEADER, *[ROW] * 7]))
    import_id = await imports.start(user(), file, "my\nusage.csv")
    record = await ended(store, import_id)
    assert (record.state, record.file_name) == ("succeeded", "my?usage.csv")
    assert (record.rows_read, record.rows_imported, record.rows_rejected) == (7, 7, 0)
    shown = await events(log, import_id)
    assert [event.type for event in shown] == ["agent_started", "agent_thinking", "agent_completed"]
    assert {event.agent for event in shown} == {IMPORT_AGENT}
    assert {event.thread_id for event in shown} == {import_id}
    assert shown[0].data["input"] == "my?usage.csv"
    assert shown[-1].data["output"] == "7 records imported from my?usage.csv."
    await imports.close()
    assert file.closed


async def test_one_bad_row_rejects_the_file_and_every_bad_row_is_told(
    imports: UsageImports, store: UsageStore, log: MemoryEventLog
) -> None:
    bad = "2026-10-31,gpt-4o,-1,2"
    import_id = await imports.start(user(), data("\n".join([HEADER, ROW, bad, ROW, *[bad] * 150])), "usage.csv")
    record = await ended(store, import_id)
    assert (record.state, record.rows_read, record.rows_imported, record.rows_rejected) == ("failed", 153, 0, 151)
    assert [one.row for one in record.rejected][:3] == [3, 5, 6]
    assert len(record.rejected) == 100
    assert record.failure is not None
    assert record.failure.code == "rejected_rows"
    assert "row 3: input_tokens is -1" in record.failure.message
    assert (await UsageFigures(store.database).extent(user())).records == 0
    last = (await events(log, import_id))[-1]
    assert (last.data["status"], last.data["error"]["code"]) == ("failed", "rejected_rows")


async def test_bad_rows_can_be_skipped(imports: UsageImports, store: UsageStore, log: MemoryEventLog) -> None:
    content = f"{HEADER}\n{ROW}\n2026-10-31,gpt-4o,x,2\n{ROW}"
    import_id = await imports.start(user(), data(content), "usage.csv", on_error="skip")
    record = await ended(store, import_id)
    assert (record.state, record.rows_imported, record.rows_rejected) == ("succeeded", 2, 1)
    assert record.rejected[0].row == 3
    assert "1 rows were rejected" in (await events(log, import_id))[-1].data["output"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "empty_file"),
        (HEADER, "no_rows"),
        ("a,b\n1,2", "unknown_columns"),
        (f"{HEADER}\n{ROW}\n\0", "nul_bytes"),
        (f"{HEADER}\n2026-10-31,gpt-4o,x,2", "rejected_rows"),
    ],
)
async def test_a_file_without_good_rows_fails_also_when_rows_are_skipped(
    imports: UsageImports, store: UsageStore, content: str, code: str
) -> None:
    record = await ended(store, await imports.start(user(), data(content), "x", on_error="skip"))
    assert record.state == "failed"
    assert record.failure is not None
    assert record.failure.code == code
    assert (await UsageFigures(store.database).extent(user())).records == 0


async def test_unknown_columns_can_be_mapped(imports: UsageImports, store: UsageStore) -> None:
    content = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"
    record = await ended(store, await imports.start(user(), data(content), "trace.csv"))
    assert record.failure is not None
    assert record.failure.columns == ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
    assert record.failure.missing == ("time", "model", "input_tokens", "output_tokens")
    mapping = parse_mapping("time=TIMESTAMP input_tokens=ContextTokens output_tokens=GeneratedTokens model=gpt-4o")
    record = await ended(store, await imports.start(user(), data(content), "trace.csv", mapping=mapping))
    assert (record.state, record.rows_imported) == ("succeeded", 1)


async def test_a_user_may_run_four_imports_at_once(imports: UsageImports, store: UsageStore) -> None:
    gate = asyncio.Event()

    class Slow(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
            return super().seek(offset, whence)

    loop = asyncio.get_running_loop()
    running = [await imports.start(user(), Slow(f"{HEADER}\n{ROW}".encode()), "x") for _ in range(4)]
    with pytest.raises(ConflictError) as caught:
        await imports.start(user(), data(""), "x")
    assert caught.value.code == "imports_running"
    other = await imports.start(user("eve"), data(f"{HEADER}\n{ROW}"), "x")
    assert (await ended(store, other, "eve")).state == "succeeded"
    gate.set()
    assert {(await ended(store, import_id)).state for import_id in running} == {"succeeded"}


async def test_the_same_file_of_two_users_is_two_imports(
    imports: UsageImports, store: UsageStore, log: MemoryEventLog
) -> None:
    ids = {name: await imports.start(user(name), data(f"{HEADER}\n{ROW}"), f"{name}.csv") for name in ("ada", "eve")}
    for name, import_id in ids.items():
        assert (await ended(store, import_id, name)).file_name == f"{name}.csv"
        assert {event.user_id for event in await events(log, import_id, name)} == {name}
        assert (await UsageFigures(store.database).extent(user(name))).records == 1
        assert {decode_event(one.body).run_id for one in log.events(user(name))} == {import_id}


def many(rows: int) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it belongs to the import
    file.write(f"{HEADER},tag\n".encode())
    for number in range(0, rows, 1000):
        stamp = f"2026-10-{number % 28 + 1:02d}T12:00:00"
        lines = (f"{stamp}.{k:03d}Z,gpt-4o,{5000 + k},{k},bot-{k % 7}\n" for k in range(min(1000, rows - number)))
        file.write("".join(lines).encode())
    return file


async def test_a_file_is_read_in_pieces_that_do_not_grow_with_it(
    imports: UsageImports, store: UsageStore, log: MemoryEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "PROGRESS_ROWS", 10_000)
    file: Any = await asyncio.to_thread(many, 50_000)
    pieces: list[int] = []
    ahead: list[int] = []
    add_records = store.add_records

    async def watched(context: Any, import_id: str, records: Any, *, rows_read: int, **rest: Any) -> None:
        pieces.append(len(records))
        ahead.append(await asyncio.to_thread(file.tell) - rows_read * 50)
        await add_records(context, import_id, records, rows_read=rows_read, **rest)

    monkeypatch.setattr(store, "add_records", watched)
    import_id = await imports.start(user(), file, "many.csv")
    record = await ended(store, import_id)
    assert (record.state, record.rows_imported) == ("succeeded", 50_000)
    assert sum(pieces) == 50_000
    assert max(pieces) <= importer.CHUNK
    assert max(ahead) < 100_000  # bytes read and not yet stored
    texts = [event.data["text"] for event in await events(log, import_id) if event.type == "agent_thinking"]
    assert "10,000 rows read." in texts
    assert len(texts) <= 1 + len(pieces)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_million_rows_are_imported_in_bounded_memory(imports: UsageImports, store: UsageStore) -> None:
    import resource

    file: Any = await asyncio.to_thread(many, 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record = await ended(store, await imports.start(user(), file, "many.csv"))
    assert (record.state, record.rows_imported) == ("succeeded", 1_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000


async def test_stopping_the_server_interrupts_an_import_and_keeps_nothing(
    imports: UsageImports, store: UsageStore, log: MemoryEventLog
) -> None:
    file: Any = await asyncio.to_thread(many, 30_000)
    import_id = await imports.start(user(), file, "many.csv")
    while (await store.get_import(user(), import_id)).rows_imported == 0:
        await asyncio.sleep(0.005)
    await imports.close()
    record = await store.get_import(user(), import_id)
    assert (record.state, record.rows_imported) == ("interrupted", 0)
    assert (await UsageFigures(store.database).extent(user())).records == 0
    assert (await events(log, import_id))[-1].data["status"] == "interrupted"
    assert file.closed
    with pytest.raises(ConflictError):
        await imports.start(user(), data(""), "x")


async def test_an_import_that_will_not_stop_is_cancelled_and_cleaned_up_at_the_next_start(
    store: UsageStore, log: MemoryEventLog
) -> None:
    import threading

    held = threading.Event()

    class Stuck(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            held.wait(10)
            return super().seek(offset, whence)

    imports = UsageImports(store=store, log=log, bridge=LocalBridge())
    import_id = await imports.start(user(), Stuck(b""), "x")
    await asyncio.sleep(0.05)
    await imports.close(seconds=0.01)
    held.set()
    assert (await store.get_import(user(), import_id)).state == "interrupted"
    assert await imports.recover() == 0


async def test_a_failure_of_the_store_ends_the_import_and_its_run(
    imports: UsageImports, store: UsageStore, log: MemoryEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StorageError("the disk is full; free some space")

    monkeypatch.setattr(store, "add_records", full)
    import_id = await imports.start(user(), data(f"{HEADER}\n{ROW}"), "x")
    record = await ended(store, import_id)
    assert record.failure is not None
    assert (record.state, record.failure.code) == ("failed", "import_failed")
    assert "disk is full" in record.failure.message
    assert (await events(log, import_id))[-1].data["status"] == "failed"


async def test_a_bug_ends_the_import_without_telling_its_text(
    imports: UsageImports, store: UsageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(file: BinaryIO, mapping: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(importer, "UsageReader", broken)
    record = await ended(store, await imports.start(user(), data(""), "x"))
    assert record.failure is not None
    assert "secret" not in record.failure.message
