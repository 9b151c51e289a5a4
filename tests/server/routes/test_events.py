"""The log as server-sent events: where it resumes, and what it narrows to."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from carrel.errors import InputError
from carrel.server.routes.events import parse_position, prefers_events
from tests.server.served import Served


@pytest.mark.parametrize(
    ("accept", "prefers"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; q=1", True),
        ("application/json, text/event-stream", True),
        ("*/*", False),
        ("text/event-streams", False),
        ("", False),
    ],
)
def test_only_an_explicit_wish_for_events_counts(accept: str, prefers: bool) -> None:
    assert prefers_events(Request({"type": "http", "headers": [(b"accept", accept.encode())]})) is prefers


def test_a_position_is_an_epoch_and_an_offset() -> None:
    assert parse_position("after", "a:b:12") == ("a:b", 12)


@pytest.mark.parametrize("position", ["", ":", "a:", ":1", "a", "a:-1", "a:1.5", "a:x", "a:١", "a:" + "9" * 19])
def test_what_is_no_position_is_refused(position: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_position("after", position)
    assert caught.value.field == "after"


async def test_a_wrong_position_names_where_it_stood(server: Served) -> None:
    ann = await server.user("ann")
    by_header = await ann.http.get("/api/v1/events?after=a:1", headers={"Last-Event-ID": "x"})
    by_query = await ann.http.get("/api/v1/events?after=x")
    assert [answer.json()["errors"][0]["field"] for answer in (by_header, by_query)] == ["Last-Event-ID", "after"]


async def test_a_user_may_not_open_any_number_of_streams(server: Served) -> None:
    # Refused before the answer begins, so that it is a problem and not a stream that ends at once.
    ann = await server.user("ann")
    server.services.connections._per_user = 0
    answer = await ann.http.get("/api/v1/events")
    assert (answer.status_code, answer.json()["code"]) == (429, "limit_exceeded")
