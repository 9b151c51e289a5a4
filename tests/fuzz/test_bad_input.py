"""What nobody should send and no agent should do, through the whole server: each answer says what is wrong, and the
server is as it was. The table of these is in docs/explanation/guarantees.md."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import jwt
import pytest
import structlog

from carrel.server.access import Identity
from tests.chaos.checker import check_run
from tests.server.served import SECRET, Caller, Served, served, settings_for

AGENTS = "tests.fuzz.bad_agents:AGENTS"
IMPORTS = "/api/v1/usage/imports"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    with structlog.testing.capture_logs():
        async with served(settings_for(tmp_path, agents=AGENTS, run_seconds=0.3)) as running:
            yield running


@pytest.fixture
async def ann(server: Served) -> Caller:
    return await server.user("ann", "usage:read", "usage:write")


async def counts(caller: Caller) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.http.get("/api/v1/me/statistics")).json()
    return found


async def events_of(server: Served, caller: Caller, run_id: str) -> list[dict[str, Any]]:
    identity: Identity = await server.services.authenticator.verify(caller.access_token)
    events = await server.services.log.read(identity.user, 0, 1000)
    return [event for event in (json.loads(one.body) for one in events) if event["run_id"] == run_id]


@pytest.mark.parametrize(
    ("agent", "state", "code", "said"),
    [
        ("raising", "failed", "agent_failed", "RuntimeError"),
        ("hanging", "timed_out", "timed_out", "took longer than"),
        ("senseless", "failed", "agent_failed", "dict"),
        ("late", "succeeded", None, ""),
    ],
)
async def test_a_run_of_a_bad_agent_ends_in_the_grammar_and_says_why(
    server: Served, ann: Caller, agent: str, state: str, code: str | None, said: str
) -> None:
    started = await ann.start("hello", agent)
    record = await ann.finished(started["run_id"])
    await anyio.sleep(0.1)
    assert record["state"] == state
    assert (record["error"] or {}).get("code") == code
    assert said in (record["error"] or {}).get("message", "")
    events = await events_of(server, ann, started["run_id"])
    assert check_run(events) == []
    assert "hunter2" not in json.dumps([record, events])
    assert "another thing" not in json.dumps(events)


async def test_an_agent_that_does_not_hear_that_it_is_cancelled_is_left_behind(server: Served, ann: Caller) -> None:
    started = await ann.start("hello", "deaf")
    run_id = started["run_id"]
    while not await events_of(server, ann, run_id):
        await anyio.sleep(0.01)
    assert (await ann.http.post(f"/api/v1/runs/{run_id}/cancel")).status_code == 202
    record = await ann.finished(run_id)
    assert (record["state"], record["error"]["code"]) == ("cancelled", "cancelled")
    assert check_run(await events_of(server, ann, run_id)) == []


@pytest.mark.parametrize(
    ("size", "status", "code", "said"),
    [(32_769, 422, "invalid_input", "32768 characters"), (1024 * 1024, 413, "too_large", "1048576 bytes")],
)
async def test_a_long_input_is_refused_with_what_is_accepted(
    ann: Caller, size: int, status: int, code: str, said: str
) -> None:
    thread = (await ann.http.post("/api/v1/threads")).json()["thread_id"]
    before = await counts(ann)
    answer = await ann.http.post(f"/api/v1/threads/{thread}/runs", json={"input": "x" * size, "agent": "late"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert said in answer.json()["detail"]
    assert await counts(ann) == before


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"input":"\xff"}', b"[" * 100_000, b'{"a":' * 50_000],
    ids=["half", "not utf-8", "deep list", "deep object"],
)
async def test_a_body_that_is_no_json_is_named_with_what_is_accepted(ann: Caller, body: bytes) -> None:
    answer = await ann.http.post("/api/v1/threads", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["detail"] == "the body is not JSON; send one JSON object, in UTF-8"
    assert [one["field"] for one in answer.json()["errors"]] == ["body"]


async def test_a_form_that_is_none_is_named(ann: Caller) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await ann.http.post(IMPORTS, content=b"no form", headers=form)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert [one["field"] for one in answer.json()["errors"]] == ["body"]
    assert "multipart" in answer.json()["detail"]


async def test_text_in_the_place_of_a_file_is_told_that_it_has_to_be_a_file(ann: Caller) -> None:
    answer = await ann.http.post(IMPORTS, data={"file": "time,model"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "file", "message": "must be a file, with a name"}]


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "empty_file", "empty"),
        (b"\n\n", "empty_file", "empty"),
        (b"when,which,how much\n1,2,3\n", "unknown_columns", "time"),
        (b"\xff\xfe\x00\x00", "not_text", "UTF-8"),
    ],
    ids=["empty", "blank", "wrong header", "no text"],
)
async def test_a_file_that_is_no_usage_leaves_no_record_and_says_why(
    ann: Caller, content: bytes, code: str, said: str
) -> None:
    accepted = await ann.http.post(IMPORTS, files={"file": ("usage.csv", content)})
    assert accepted.status_code == 202
    while (found := (await ann.http.get(f"{IMPORTS}/{accepted.json()['import_id']}")).json())["state"] == "running":
        await anyio.sleep(0.01)
    assert (found["state"], found["code"]) == ("failed", code)
    assert said in found["message"] + " ".join(found["missing"])
    assert (await counts(ann))["usage_records"] == 0


BAD_TOKENS = ("none", "forged", "expired", "of the future", "of another session", "not utf-8")


def bad_token(kind: str, good: str) -> str:
    """A good token with one thing wrong."""
    claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
    header = {"typ": jwt.get_unverified_header(good)["typ"]}
    key, now = SECRET.get_secret_value(), int(time.time())
    if kind == "none":
        return jwt.encode(claims, "", algorithm="none", headers=header)
    if kind == "forged":
        return jwt.encode(claims, "f" * 32, algorithm="HS256", headers=header)
    changes: dict[str, dict[str, Any]] = {
        "nothing": {},
        "expired": {"exp": now - 600},
        "of the future": {"iat": now + 6000, "exp": now + 7000},
        "of another session": {"sid": "missing"},
    }
    return jwt.encode(claims | changes[kind], key, algorithm="HS256", headers=header) if kind in changes else "\xff\xfe"


async def test_the_token_that_the_bad_ones_are_made_of_is_good(server: Served, ann: Caller) -> None:
    token = bad_token("nothing", ann.access_token)
    assert (await server.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})).status_code == 200


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_bad_token_of_any_kind_gets_the_same_answer(server: Served, ann: Caller, kind: str) -> None:
    answers = [
        await server.http.get("/api/v1/me", headers={b"Authorization": b"Bearer " + one.encode("latin-1")})
        for one in (bad_token(kind, ann.access_token), "nonsense")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content
    assert "Authorization: Bearer" in answers[0].json()["detail"]
