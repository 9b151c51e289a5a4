"""`/events`: the user's log as server-sent events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request

from carrel.context import RunId
from carrel.errors import InputError
from carrel.server.access import CurrentUser, owner_rule
from carrel.server.description import problems, stream_of
from carrel.server.routes import API_PREFIX
from carrel.server.services import CurrentServices
from carrel.server.sse import EventResponse, EventStream

__all__ = ["event_routes", "parse_position", "prefers_events"]

MAX_OFFSET_DIGITS = 18


def event_routes() -> APIRouter:
    """The route `/events`."""
    router = APIRouter(prefix=API_PREFIX, tags=["events"])

    @router.get(
        "/events",
        status_code=200,
        response_class=EventResponse,
        responses={200: stream_of("text/event-stream", "The events."), **problems(429)},
    )
    @owner_rule("caller")
    async def follow_events(
        identity: CurrentUser,
        services: CurrentServices,
        after: str | None = None,
        run_id: str | None = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventResponse:
        """My log as `text/event-stream`; `id:` is `epoch:offset`, and `Last-Event-ID` or `?after=` resumes there."""
        field, position = ("Last-Event-ID", last_event_id) if last_event_id else ("after", after)
        start = parse_position(field, position) if position is not None else None
        narrowed = RunId(run_id) if run_id is not None else None
        return EventResponse(EventStream(services, identity, narrowed), start)

    return router


def parse_position(field: str, position: str) -> tuple[str, int]:
    """`epoch:offset` as a pair; raises `InputError` for `field`."""
    epoch, _, offset = position.rpartition(":")
    if not epoch or not offset.isascii() or not offset.isdigit() or len(offset) > MAX_OFFSET_DIGITS:
        raise InputError(field, "must be epoch:offset, as in the id of an event")
    return epoch, int(offset)


def prefers_events(request: Request) -> bool:
    """Whether the client asks for `text/event-stream`."""
    accepted = (part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(","))
    return "text/event-stream" in accepted
