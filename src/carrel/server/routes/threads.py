"""`/threads`: a user's conversations, and the runs that are started in them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from carrel.context import RunId, ThreadId
from carrel.runtime.run_request import MAX_INPUT_CHARACTERS, RunRequest
from carrel.runtime.store import Thread
from carrel.server.access import CurrentUser, Identity, owner_rule
from carrel.server.description import problems, stream_of
from carrel.server.routes import API_PREFIX
from carrel.server.routes.bodies import RequestBody, StorableText, Title
from carrel.server.routes.events import prefers_events
from carrel.server.services import CurrentServices, Services
from carrel.server.sse import EventResponse, EventStream

__all__ = ["thread_routes"]

NEW_THREAD = "New thread"


class ThreadAnswer(BaseModel):
    """A conversation."""

    thread_id: str
    title: str
    created_at: str
    updated_at: str


class ThreadList(BaseModel):
    """A page of conversations, the one that changed last first; `next` is the `before` of the next page."""

    threads: list[ThreadAnswer]
    next: str | None


class MessageAnswer(BaseModel):
    """One message of a conversation."""

    message_id: str
    run_id: str
    role: Literal["user", "assistant"]
    text: str
    created_at: str


class MessageList(BaseModel):
    """The newest messages of a conversation, oldest first."""

    messages: list[MessageAnswer]


class NewThread(RequestBody):
    """A conversation to be made."""

    title: Title = NEW_THREAD


class ThreadChange(RequestBody):
    """A new title."""

    title: Title


class NewRun(RequestBody):
    """A run to be started."""

    input: Annotated[StorableText, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_INPUT_CHARACTERS})]
    agent: StorableText = "supervisor"
    if_busy: Literal["reject", "enqueue", "interrupt", "rollback"] = "enqueue"


class RunAccepted(BaseModel):
    """The run that was started, or that the same key had started before."""

    thread_id: str
    run_id: str


def thread_routes() -> APIRouter:
    """The routes below `/threads`."""
    router = APIRouter(prefix=f"{API_PREFIX}/threads", tags=["threads"])

    @router.get("", responses=problems(404))
    @owner_rule("caller")
    async def list_threads(
        identity: CurrentUser,
        services: CurrentServices,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
        before: str | None = None,
    ) -> ThreadList:
        """My conversations, the one that changed last first."""
        found = await services.threads.list_threads(identity.user, limit=limit, before=before)
        following = found[-1].thread_id if len(found) == limit else None
        return ThreadList(threads=[_thread(one) for one in found], next=following)

    @router.post("", status_code=201, responses=problems(429))
    @owner_rule("caller")
    async def create_thread(
        identity: CurrentUser, services: CurrentServices, body: NewThread | None = None
    ) -> ThreadAnswer:
        """A new, empty conversation."""
        title = body.title if body is not None else NEW_THREAD
        return _thread(await services.threads.create_thread(identity.user, title))

    @router.get("/{thread_id}")
    @owner_rule("owned")
    async def get_thread(thread_id: str, identity: CurrentUser, services: CurrentServices) -> ThreadAnswer:
        """One of my conversations."""
        return _thread(await services.threads.get_thread(identity.user, ThreadId(thread_id)))

    @router.patch("/{thread_id}")
    @owner_rule("owned")
    async def rename_thread(
        thread_id: str, identity: CurrentUser, services: CurrentServices, body: ThreadChange
    ) -> ThreadAnswer:
        """Give it another title."""
        return _thread(await services.threads.rename_thread(identity.user, ThreadId(thread_id), body.title))

    @router.delete("/{thread_id}", status_code=204, responses=problems(409))
    @owner_rule("owned")
    async def delete_thread(thread_id: str, identity: CurrentUser, services: CurrentServices) -> Response:
        """Delete it with its messages; 409 `thread_busy` while a run is open."""
        await services.threads.delete_thread(identity.user, ThreadId(thread_id))
        return Response(status_code=204)

    @router.get("/{thread_id}/messages")
    @owner_rule("owned")
    async def list_messages(
        thread_id: str,
        identity: CurrentUser,
        services: CurrentServices,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> MessageList:
        """Its newest messages, oldest first."""
        found = await services.threads.list_messages(identity.user, ThreadId(thread_id), limit=limit)
        return MessageList(messages=[MessageAnswer(**one._asdict()) for one in found])

    @router.post(
        "/{thread_id}/runs",
        status_code=202,
        response_model=RunAccepted,
        responses={200: stream_of("text/event-stream", "The events of the run."), **problems(409, 429)},
    )
    @owner_rule("owned")
    async def start_run(
        thread_id: str,
        request: Request,
        identity: CurrentUser,
        services: CurrentServices,
        body: NewRun,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=128)] = None,
    ) -> Response | RunAccepted:
        """Start a run; with `Accept: text/event-stream` its events are the answer, until it is over.

        The same `Idempotency-Key` within 24 hours starts nothing and gets the first answer again.
        """
        start = RunRequest(
            thread_id=ThreadId(thread_id),
            input=body.input,
            agent=body.agent,
            if_busy=body.if_busy,
            idempotency_key=idempotency_key,
        )
        if prefers_events(request):
            return await _start_and_follow(services, identity, start)
        accepted = await services.scheduler.start(identity.user, start)
        return RunAccepted(thread_id=accepted.thread_id, run_id=accepted.run_id)

    return router


async def _start_and_follow(services: Services, identity: Identity, start: RunRequest) -> EventResponse:
    # Read before the run starts, so that its first event is after it.
    state = await services.log.state(identity.user)
    accepted = await services.scheduler.start(identity.user, start)
    # A run that an earlier request started may lie anywhere in the log.
    after = state.top if accepted.created else state.oldest - 1
    stream = EventStream(services, identity, RunId(accepted.run_id), until_run_ends=True)
    return EventResponse(stream, (state.epoch, after))


def _thread(thread: Thread) -> ThreadAnswer:
    return ThreadAnswer(**thread._asdict())
