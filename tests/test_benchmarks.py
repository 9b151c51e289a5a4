"""Each benchmark works at a tiny size and yields the figures that documents quote; nothing here asserts on time."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.clients.websocket import Client, Tally
from benchmarks.figures import Benchmark, Figure, at_least, at_most, interleave, ratio
from benchmarks.machine import describe_machine, one_line
from benchmarks.process import ServerFailedError, ServerProcess, free_port
from benchmarks.servers.plan import PATH, Plan, Planned
from rich.console import Console

PROMISED = {
    "run_cost": {"bare coroutine", "carrel in memory", "carrel on SQLite"},
    "compat_cost": {"direct constructor", "old, carrel's log / direct", "old / direct, SQLite"},
    "http_runs": {"carrel: runs", "FastAPI+SQLite floor: runs", "carrel / FastAPI+SQLite floor"},
    "delivery": {
        "carrel: deliver, singles",
        "carrel: deliver, bursts of 5",
        "bare uvicorn: send, singles",
        "bare uvicorn: send, bursts of 5",
        "carrel: idle memory at 10",
        "bare uvicorn: idle memory at 10",
        "carrel: p50 at 10",
        "carrel: p99 at 10",
        "bare uvicorn: p99 at 10",
        "carrel: lost at 10",
        "carrel: foreign at 10",
    },
    "reconnects": {"carrel, WebSocket: events lost", "carrel, server-sent events: events lost"},
    "memory": {"events", "resident after warm-up", "growth", "slope", "events lost"},
}
MUST_BE_ZERO = ("lost", "twice", "duplicated", "reordered", "foreign", "disconnected")


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda benchmark: str(benchmark.name))
def test_a_benchmark_yields_the_figures_it_promises(benchmark: Benchmark) -> None:
    outcome = benchmark.measure("tiny", peers=False)

    assert {figure.name for figure in outcome.figures} >= PROMISED[benchmark.name]
    for figure in outcome.figures:
        if any(word in figure.name for word in MUST_BE_ZERO):
            assert set(figure.values) == {0.0}, (figure, outcome.notes)


def test_the_command_prints_a_table_and_writes_what_it_found_with_the_machine(tmp_path: Path) -> None:
    output, results = io.StringIO(), tmp_path / "new" / "results.json"

    main(["run_cost", "--tiny", "--json", str(results)], console=Console(file=output, width=200))

    assert "carrel on SQLite" in output.getvalue()
    found = json.loads(results.read_text())
    assert found["machine"]["cores"] >= 1
    assert found["machine"]["libraries"]["uvicorn"]
    figures = {figure["name"]: figure for figure in found["benchmarks"]["run_cost"]["figures"]}
    assert figures["carrel in memory"]["bar"] == {"kind": "at most", "value": 100}
    assert isinstance(figures["carrel in memory"]["met"], bool)


def test_an_unknown_name_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["speed"])

    assert ended.value.code == 2
    assert "no benchmark speed; there are: run_cost, compat_cost, http_runs" in capsys.readouterr().err


def test_the_machine_is_named() -> None:
    machine = describe_machine()

    assert machine["cpu"] in one_line(machine)
    assert machine["commit"] in one_line(machine)


def test_a_bar_is_met_by_the_median() -> None:
    assert Figure("cost", "µs", (1.0, 2.0, 90.0), at_most(2)).met is True
    assert Figure("cost", "µs", (1.0, 3.0, 3.0), at_most(2)).met is False
    assert Figure("rate", "runs/s", (1.0, 5.0, 6.0), at_least(5)).met is True
    assert Figure("rate", "runs/s", (1.0,)).met is None


def test_contestants_take_turns_after_a_warm_up() -> None:
    order: list[str] = []

    def first() -> float:
        order.append("a")
        return float(len(order))

    def second() -> float:
        order.append("b")
        return float(len(order))

    found = interleave({"a": first, "b": second}, rounds=2)

    assert order == ["a", "b"] * 3
    assert found == {"a": (3.0, 5.0), "b": (4.0, 6.0)}


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio("a / b", (6.0, 8.0), (2.0, 4.0)).values == (3.0, 2.0)


async def test_a_plan_is_carried_out_for_every_user_before_it_is_answered() -> None:
    emitted: list[tuple[str, float]] = []

    async def emit(plan: Plan, user: str, due: float) -> None:
        emitted.append((user, due - plan.start))

    paced = Plan(users=("a", "b"), bursts=2, burst=5, start=0.0, interval=0.5)
    flood = Plan(users=("a", "b"), bursts=2, burst=5, start=0.0, interval=0.0)

    assert await answer_to(Planned(emit), paced) == 200
    assert sorted(emitted) == [("a", 0.0), ("a", 0.5), ("b", 0.25), ("b", 0.75)]
    emitted.clear()
    assert await answer_to(Planned(emit), flood) == 200
    assert sorted(user for user, _ in emitted) == ["a", "a", "b", "b"]
    assert paced.events == flood.events == 20


async def answer_to(planned: Planned, plan: Plan) -> int:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": msgspec.json.encode(plan)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await planned({"type": "http", "path": PATH}, receive, send)
    return int(sent[0]["status"])


def test_a_server_that_ends_at_once_is_reported_with_what_it_printed(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit('no such setting')")

    with pytest.raises(ServerFailedError, match="no such setting"):
        ServerProcess(command, port=free_port(), directory=tmp_path)


async def test_the_client_tells_lost_repeated_reordered_and_foreign_events_apart() -> None:
    tally = Tally(acknowledge=False)
    client = Client("127.0.0.1", "token", tally)
    client.user_id, client.last = "me", 10

    for offset, user in ((11, "me"), (14, "me"), (13, "me"), (11, "me"), (15, "you")):
        client._handle(event_frame(offset, user))

    assert (tally.events, tally.reordered, tally.duplicated, tally.foreign) == (5, 1, 1, 1)
    assert client.missing == {12}


def event_frame(offset: int, user_id: str) -> bytes:
    event = {
        "type": "agent_thinking",
        "offset": offset,
        "user_id": user_id,
        "run_id": "run",
        "parent_request_id": None,
        "data": {"text": "hm"},
    }
    return json.dumps({"type": "events", "events": [event]}).encode()


def test_the_command_explains_itself() -> None:
    help_text = subprocess.run(
        (sys.executable, "-m", "benchmarks", "--help"),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
    ).stdout

    assert "--quick" in help_text
