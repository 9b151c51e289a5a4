"""Usage over HTTP: upload, watch, sum up, remove; each user's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.optimizer import independent
from tests.server.served import Caller, Served, served, settings_for

URL = "/api/v1/usage"
HEADER = "time,model,input_tokens,output_tokens"
ROW = "2026-10-31T12:00:00Z,gpt-4o,1000000,100000"
GOOD = f"{HEADER}\n{ROW}\n"
PERMISSIONS = ("usage:read", "usage:write")


@pytest.fixture
async def ann(server: Served) -> Caller:
    return await server.user("ann", *PERMISSIONS)


async def upload(caller: Caller, content: str | bytes, **form: str) -> dict[str, Any]:
    """The import, once it is over."""
    answer = await caller.http.post(f"{URL}/imports", files={"file": ("usage.csv", content)}, data=form)
    assert answer.status_code == 202, answer.text
    return await over(caller, answer.json()["import_id"])


async def over(caller: Caller, import_id: str) -> dict[str, Any]:
    while True:
        record: dict[str, Any] = (await caller.http.get(f"{URL}/imports/{import_id}")).json()
        if record["state"] != "running":
            return record
        await anyio.sleep(0.01)


async def test_a_file_is_imported_and_summed_up(ann: Caller) -> None:
    record = await upload(ann, GOOD)
    assert (record["state"], record["file_name"]) == ("succeeded", "usage.csv")
    assert (record["rows_read"], record["rows_imported"], record["rows_rejected"], record["rejected"]) == (1, 1, 0, [])
    summary = (await ann.http.get(f"{URL}/summary")).json()
    assert (summary["records"], summary["cost_usd"], summary["first_day"]) == (1, 3.5, "2026-10-31")
    assert [row["key"] for row in summary["by_model"]] == ["gpt-4o"]
    assert [row["key"] for row in summary["by_token_kind"]] == ["input", "cached input", "output"]
    assert {"by_day", "by_tag", "unpriced"} <= set(summary)


async def test_the_example_is_larger_than_memory_keeps_and_is_imported_whole(ann: Caller) -> None:
    content = await anyio.Path(independent.EXAMPLE).read_bytes()
    record = await upload(ann, content)
    assert record["rows_imported"] == content.count(b"\n") - 1


async def test_bad_rows_reject_the_file_or_are_skipped(ann: Caller) -> None:
    content = f"{GOOD}2026-10-31,gpt-4o,-1,2\n"
    record = await upload(ann, content)
    assert (record["state"], record["code"], record["rows_imported"]) == ("failed", "rejected_rows", 0)
    assert record["rejected"] == [{"row": 3, "field": "input_tokens", "reason": "is -1; it cannot be negative"}]
    assert (await ann.http.get(f"{URL}/summary")).json()["records"] == 0
    record = await upload(ann, content, on_error="skip")
    assert (record["state"], record["rows_imported"], record["rows_rejected"]) == ("succeeded", 1, 1)


async def test_unknown_columns_can_be_mapped(ann: Caller) -> None:
    content = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"
    record = await upload(ann, content)
    assert (record["state"], record["code"]) == ("failed", "unknown_columns")
    assert record["columns"] == ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
    assert record["missing"] == ["time", "model", "input_tokens", "output_tokens"]
    mapping = "time=TIMESTAMP input_tokens=ContextTokens output_tokens=GeneratedTokens model=gpt-4o"
    assert (await upload(ann, content, mapping=mapping))["state"] == "succeeded"


@pytest.mark.parametrize(("form", "field"), [({"mapping": "when=x"}, "mapping"), ({"on_error": "ignore"}, "on_error")])
async def test_a_form_that_makes_no_sense_starts_nothing(ann: Caller, form: dict[str, str], field: str) -> None:
    answer = await ann.http.post(f"{URL}/imports", files={"file": ("usage.csv", GOOD)}, data=form)
    assert answer.status_code == 422
    assert field in answer.text
    assert (await ann.http.get(f"{URL}/imports")).json() == {"imports": []}


async def test_a_form_without_a_file_is_refused(ann: Caller) -> None:
    assert (await ann.http.post(f"{URL}/imports", data={"mapping": ""})).status_code == 422


async def test_imports_are_listed_and_removed_with_their_records(ann: Caller) -> None:
    first, second = await upload(ann, GOOD), await upload(ann, GOOD)
    listed = (await ann.http.get(f"{URL}/imports")).json()["imports"]
    assert [one["import_id"] for one in listed] == [second["import_id"], first["import_id"]]
    assert (await ann.http.delete(f"{URL}/imports/{first['import_id']}")).status_code == 204
    assert (await ann.http.get(f"{URL}/imports/{first['import_id']}")).status_code == 404
    assert (await ann.http.get(f"{URL}/summary")).json()["records"] == 1


async def test_a_summary_is_of_the_days_asked_for(ann: Caller) -> None:
    await upload(ann, f"{GOOD}2026-10-30,gpt-4o,1,1\n2026-10-29,gpt-4o,1,1\n")
    assert (await ann.http.get(f"{URL}/summary?from=2026-10-30")).json()["records"] == 2
    assert (await ann.http.get(f"{URL}/summary?from=2026-10-30&to=2026-10-30")).json()["records"] == 1
    assert (await ann.http.get(f"{URL}/summary?from=2026-10-30&to=2026-10-29")).status_code == 422
    assert (await ann.http.get(f"{URL}/summary?from=soon")).status_code == 422


async def test_another_users_import_answers_like_one_that_never_was(server: Served, ann: Caller) -> None:
    bob = await server.user("bob", *PERMISSIONS)
    import_id = (await upload(ann, GOOD))["import_id"]
    for method in ("GET", "DELETE"):
        foreign = await bob.http.request(method, f"{URL}/imports/{import_id}")
        missing = await bob.http.request(method, f"{URL}/imports/never-was")
        assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert (await bob.http.get(f"{URL}/imports")).json() == {"imports": []}
    assert (await bob.http.get(f"{URL}/summary")).json()["records"] == 0
    assert (await ann.http.get(f"{URL}/summary")).json()["records"] == 1


async def test_permissions_are_needed(server: Served) -> None:
    nobody, reader = await server.user("nobody"), await server.user("reader", "usage:read")
    for caller, method, path in (
        (nobody, "GET", "/imports"),
        (nobody, "GET", "/imports/x"),
        (nobody, "GET", "/summary"),
        (reader, "DELETE", "/imports/x"),
    ):
        answer = await caller.http.request(method, URL + path)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    answer = await reader.http.post(f"{URL}/imports", files={"file": ("usage.csv", GOOD)})
    assert answer.status_code == 403


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(settings_for(tmp_path, max_upload_bytes=20_000)) as running:
        yield running


async def test_a_file_beyond_the_limit_is_refused(small: Served) -> None:
    ann = await small.user("ann", *PERMISSIONS)
    answer = await ann.http.post(f"{URL}/imports", files={"file": ("usage.csv", "x" * 30_000)})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await upload(ann, GOOD))["state"] == "succeeded"


@pytest.mark.parametrize("day", ["0", "1767225600", "2026-10-30T00:00:00", "2026-1-1", "2026-02-30", "today", ""])
async def test_a_day_is_written_as_a_day(ann: Caller, day: str) -> None:
    answer = await ann.http.get(f"{URL}/summary", params={"from": day})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["from"]
