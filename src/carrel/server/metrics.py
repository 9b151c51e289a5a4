"""The figures of a running server for Prometheus: of all users together, and of none of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Final, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from carrel.events import RunStatus
from carrel.runtime.limits import USER_LIMITS
from carrel.runtime.statistics import Histogram, UsageStatistics
from carrel.server.services import Services

__all__ = ["ServerCollector"]


# What waits instead, and what ends, is not refused.
REFUSING: Final = tuple(limit for limit in USER_LIMITS if limit not in ("concurrent_runs", "run_seconds"))


class ServerCollector(Collector):
    """Reads what the parts of the server have counted, at each `collect`; counts nothing itself."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Every metric, as of now. No label ever names a user, a thread or a run."""
        yield from self._now()
        yield from _counted(self._services.meters.statistics())

    def _now(self) -> Iterator[Metric]:
        runs = self._services.scheduler.statistics()
        yield GaugeMetricFamily("carrel_runs_running", "Runs that have a slot.", runs.running)
        yield GaugeMetricFamily("carrel_runs_queued", "Runs that wait for a slot.", runs.queued)
        yield GaugeMetricFamily("carrel_run_slots", "Runs that can run at once.", runs.slots)
        yield GaugeMetricFamily("carrel_users_with_runs", "Users who have any run that is not over.", runs.users)
        yield GaugeMetricFamily("carrel_draining", "1 while the server refuses new runs to stop.", int(runs.draining))
        connections = self._services.connections.statistics()
        yield GaugeMetricFamily("carrel_connections", "Authenticated connections.", connections.connections)
        yield GaugeMetricFamily(
            "carrel_connections_arriving", "Connections that have not authenticated yet.", connections.arriving
        )
        yield GaugeMetricFamily("carrel_users_connected", "Users who have any connection.", connections.users)
        memory = self._services.log.statistics()
        yield GaugeMetricFamily("carrel_log_memory_users", "Users whose newest events are held.", memory.users)
        yield GaugeMetricFamily("carrel_log_memory_events", "Events that are held in memory.", memory.events)
        yield GaugeMetricFamily("carrel_log_memory_bytes", "Bytes of events that are held in memory.", memory.size)


def _counted(counted: UsageStatistics) -> Iterator[Metric]:
    yield CounterMetricFamily("carrel_runs_started", "Runs that were accepted.", counted.runs_started)
    ended = CounterMetricFamily("carrel_runs_ended", "Runs that are over, by how they ended.", labels=("status",))
    for status in get_args(RunStatus):
        ended.add_metric((status,), counted.runs_ended.get(status, 0))
    yield ended
    yield _histogram("carrel_run_seconds", "How long runs took.", counted.run_seconds)
    yield CounterMetricFamily("carrel_tool_calls", "Tool calls of runs.", counted.tool_calls)
    yield CounterMetricFamily("carrel_sub_agents", "Sub-agents of runs.", counted.sub_agents)
    yield CounterMetricFamily("carrel_events", "Events that runs wrote.", counted.events)
    refused = CounterMetricFamily("carrel_refused", "What was refused, by the limit.", labels=("limit",))
    for limit in REFUSING:
        refused.add_metric((limit,), counted.refused.get(limit, 0))
    yield refused


def _histogram(name: str, help: str, histogram: Histogram) -> Metric:
    bounds = (*(str(bound) for bound in histogram.bounds), "+Inf")
    return HistogramMetricFamily(
        name, help, buckets=list(zip(bounds, accumulate(histogram.counts), strict=True)), sum_value=histogram.sum
    )
