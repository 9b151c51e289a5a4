"""Users apart, whatever they do in whatever order: and a server that mixes them up is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from carrel.server.services import Services
from tests.fuzz.background import Background, background
from tests.isolation.machine import IsolationMachine
from tests.isolation.mutants import MUTANTS

SCRIPTED = {"agents": "tests.isolation.agents:AGENTS", "tools": "tests.isolation.agents:TOOLS"}
seeded = settings(
    max_examples=50,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    with background(tmp_path_factory.mktemp("machine"), **SCRIPTED) as running:
        yield running


def run(server: Background, leaks: list[str]) -> None:
    machine = type("Machine", (IsolationMachine,), {"server": server, "leaks": leaks})
    run_state_machine_as_test(machine, settings=seeded)


@pytest.mark.timeout(120)
def test_nobody_is_sent_a_byte_of_anothers_and_every_log_is_whole(server: Background) -> None:
    run(server, [])


def leaks_of(server: Background) -> list[str]:
    """What the machine sees of a server, however it ends."""
    leaks: list[str] = []
    # Runs go on between the steps: hypothesis may find that a second try goes otherwise, and say that instead.
    with suppress(Exception):
        run(server, leaks)
    return leaks


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_a_server_that_mixes_users_up_is_noticed(server: Background, mutant: Callable[[Services], Services]) -> None:
    server.app.state.services = mutant(server.app.state.services)
    assert leaks_of(server)


@pytest.mark.timeout(60)
def test_an_agent_that_remembers_its_last_caller_is_noticed(tmp_path: Path) -> None:
    with background(tmp_path, agents="tests.isolation.mutants:WORKER") as server:
        assert leaks_of(server)
