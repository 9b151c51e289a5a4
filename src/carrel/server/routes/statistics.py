"""`/me/statistics`: how much there is of the caller, what they may use and what was counted of them."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel

from carrel.events import timestamp
from carrel.runtime.limits import USER_LIMITS
from carrel.runtime.statistics import Histogram, UsageStatistics
from carrel.server.access import CurrentUser, owner_rule
from carrel.server.routes import API_PREFIX
from carrel.server.services import CurrentServices
from carrel.storage.personal_data import count_personal_data

__all__ = ["statistics_routes"]

STATES: Final = ("queued", "running", "waiting", "succeeded", "failed", "cancelled", "timed_out", "interrupted")


class EventCounts(BaseModel):
    """What my event log holds; see `EventLog`."""

    epoch: str
    oldest: int
    top: int
    delivered: int


class HistogramAnswer(BaseModel):
    """How many values there were of each size."""

    bounds: list[float]
    """Upper bounds of the buckets; what is above the last is in one more."""
    counts: list[int]
    sum: float
    count: int


class Counted(BaseModel):
    """What the server has counted of me since it began to, which is at the latest when it was started."""

    since: str
    runs_started: int
    runs_ended: dict[str, int]
    """By status; a status that none ended with is left out."""
    run_seconds: HistogramAnswer
    tool_calls: int
    sub_agents: int
    events: int
    refused: dict[str, int]
    """What was refused, by the limit that refused it."""


class Statistics(BaseModel):
    """How much there is of me."""

    threads: int
    messages: int
    runs: dict[str, int]
    """By state, every state listed."""
    running: int
    """Runs that are going on now."""
    queued: int
    """Runs that wait for their turn now."""
    usage_imports: int
    usage_records: int
    events: EventCounts
    connections: int
    """Sockets and streams that are open now."""
    stored_bytes: int
    """What is kept for me."""
    limits: dict[str, int | float]
    """What I may use now, by the limit's name."""
    counted: Counted


def statistics_routes() -> APIRouter:
    """The route `/me/statistics`."""
    router = APIRouter(prefix=f"{API_PREFIX}/me", tags=["me"])

    @router.get("/statistics")
    @owner_rule("caller")
    async def statistics(identity: CurrentUser, services: CurrentServices) -> Statistics:
        """My counters."""
        user = identity.user
        counts = await count_personal_data(services.database, user)
        stored = await services.limits.stored_for([user.user_id])
        log = await services.log.state(user)
        now = services.scheduler.statistics_of(user)
        meter = services.meters.of(user.user_id)
        return Statistics(
            threads=counts.threads,
            messages=counts.messages,
            runs={state: counts.runs.get(state, 0) for state in STATES},
            running=now.running,
            queued=now.queued,
            usage_imports=counts.usage_imports,
            usage_records=counts.usage_records,
            events=EventCounts(epoch=log.epoch, oldest=log.oldest, top=log.top, delivered=log.delivered),
            connections=len(services.connections.connections_of(user.user_id)),
            stored_bytes=stored[user.user_id],
            limits={name: getattr(meter.limits, name) for name in USER_LIMITS},
            counted=_counted(meter.statistics()),
        )

    return router


def _counted(counted: UsageStatistics) -> Counted:
    return Counted(
        since=timestamp(counted.since),
        runs_started=counted.runs_started,
        runs_ended=dict(counted.runs_ended),
        run_seconds=_histogram(counted.run_seconds),
        tool_calls=counted.tool_calls,
        sub_agents=counted.sub_agents,
        events=counted.events,
        refused=dict(counted.refused),
    )


def _histogram(histogram: Histogram) -> HistogramAnswer:
    return HistogramAnswer(
        bounds=list(histogram.bounds), counts=list(histogram.counts), sum=histogram.sum, count=histogram.count
    )
