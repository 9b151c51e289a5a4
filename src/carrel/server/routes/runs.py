"""`/runs`: how far a run has come, and how to stop it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from carrel.context import RunId
from carrel.errors import NotFoundError
from carrel.runtime.store import RunRecord, RunState
from carrel.server.access import CurrentUser, owner_rule
from carrel.server.description import problems
from carrel.server.routes import API_PREFIX
from carrel.server.routes.bodies import RequestBody, StorableText
from carrel.server.services import CurrentServices

__all__ = ["run_routes"]


class ErrorAnswer(BaseModel):
    """Why a run failed."""

    code: str
    message: str


class RunAnswer(BaseModel):
    """One run, as far as it has come."""

    run_id: str
    thread_id: str
    request_id: str
    agent: str
    input: str
    state: RunState
    output: str | None
    error: ErrorAnswer | None
    usage: dict[str, Any]
    created_at: str
    finished_at: str | None
    delivered: int
    """The offset in the user's log up to which a client has acknowledged every event."""


class RunCancelled(BaseModel):
    """The run that is being cancelled."""

    thread_id: str
    run_id: str


class Decision(RequestBody):
    """What the user says to a tool call that waits."""

    approved: bool
    reason: StorableText | None = None


def run_routes() -> APIRouter:
    """The routes below `/runs`."""
    router = APIRouter(prefix=f"{API_PREFIX}/runs", tags=["runs"])

    @router.get("/{run_id}")
    @owner_rule("owned")
    async def get_run(run_id: str, identity: CurrentUser, services: CurrentServices) -> RunAnswer:
        """One of my runs, and how far my log has been delivered."""
        record = await services.runs.get_run(identity.user, RunId(run_id))
        state = await services.log.state(identity.user)
        return _answer(record, state.delivered)

    @router.post("/{run_id}/cancel", status_code=202, responses=problems(409))
    @owner_rule("owned")
    async def cancel_run(run_id: str, identity: CurrentUser, services: CurrentServices) -> RunCancelled:
        """Cancel it; its events end with `agent_completed` (`cancelled`). 409 `run_over` when it has ended."""
        accepted = await services.scheduler.cancel(identity.user, RunId(run_id))
        return RunCancelled(thread_id=accepted.thread_id, run_id=accepted.run_id)

    @router.post("/{run_id}/approvals/{tool_call_id}", status_code=202)
    @owner_rule("owned")
    async def resolve_approval(
        run_id: str, tool_call_id: str, identity: CurrentUser, services: CurrentServices, body: Decision
    ) -> None:
        """Answer a tool call that waits for approval. None ever waits in this version: 404."""
        del tool_call_id, body
        await services.runs.get_run(identity.user, RunId(run_id))
        raise NotFoundError("approval")

    return router


def _answer(record: RunRecord, delivered: int) -> RunAnswer:
    error = None
    if record.error_code is not None:
        error = ErrorAnswer(code=record.error_code, message=record.error_message or "")
    return RunAnswer(
        run_id=record.run_id,
        thread_id=record.thread_id,
        request_id=record.request_id,
        agent=record.agent,
        input=record.input,
        state=record.state,
        output=record.output,
        error=error,
        usage=record.usage,
        created_at=record.created_at,
        finished_at=record.finished_at,
        delivered=delivered,
    )
