"""The figures that Prometheus reads: true, complete, and about nobody in particular."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from carrel.context import UserId
from carrel.runtime.statistics import RUN_SECONDS
from carrel.server.metrics import ServerCollector
from tests.server.served import Served


def figures(text: str) -> dict[tuple[str, str], float]:
    """Every sample by its name and its labels."""
    return {
        (sample.name, ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def read(server: Served, **headers: str) -> dict[tuple[str, str], float]:
    answer = await server.http.get("/metrics", headers=headers)
    assert answer.status_code == 200
    return figures(answer.text)


async def test_what_users_did_is_counted_together(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    for caller in (ann, bob):
        await caller.finished((await caller.start("hello"))["run_id"])
    await ann.start("wait", "stall")
    server.services.meters.override(UserId(bob.user_id), {"stored_bytes": 1})
    await bob.http.post("/api/v1/threads")
    seen = await read(server)
    assert seen["carrel_runs_started_total", ""] == 3
    assert seen["carrel_runs_ended_total", "status=succeeded"] == 2
    assert seen["carrel_runs_ended_total", "status=failed"] == 0
    assert (seen["carrel_runs_running", ""], seen["carrel_runs_queued", ""]) == (1, 0)
    assert seen["carrel_users_with_runs", ""] == 1
    assert seen["carrel_tool_calls_total", ""] == 2
    assert seen["carrel_refused_total", "limit=stored_bytes"] == 1
    assert seen["carrel_refused_total", "limit=runs_per_minute"] == 0
    assert seen["carrel_run_seconds_count", ""] == seen["carrel_run_seconds_bucket", "le=+Inf"] == 2
    assert seen["carrel_run_seconds_bucket", f"le={RUN_SECONDS[-1]}"] == 2
    assert seen["carrel_run_seconds_sum", ""] > 0
    assert seen["carrel_connections", ""] == seen["carrel_draining", ""] == 0


async def test_no_label_names_a_user_however_many_there_are(server: Served) -> None:
    before = await read(server)
    callers = [await server.user(f"user-{number}") for number in range(3)]
    for caller in callers:
        await caller.finished((await caller.start("hello"))["run_id"])
    answer = await server.http.get("/metrics")
    assert set(figures(answer.text)) == set(before)
    for caller in callers:
        assert caller.user_id not in answer.text
    assert "user-" not in answer.text


async def test_it_is_prometheus_text_or_open_metrics_for_who_asks(server: Served) -> None:
    plain = await server.http.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=")
    openmetrics = await server.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")


async def test_every_metric_has_a_name_and_a_meaning_of_its_own(server: Served) -> None:
    registry = CollectorRegistry()
    registry.register(ServerCollector(server.services))
    families: list[Any] = list(registry.collect())
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    for family in families:
        assert family.name.startswith("carrel_")
        assert family.documentation.endswith(".")
