"""Faults under load, for seconds in `make test` and for minutes in `make chaos`."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from tests.chaos.faults import (
    DEADLY,
    FAULTS,
    SURVIVED,
    Fault,
    fill_the_disk,
    half_close_clients,
    kill,
    lock_the_database,
    lose_clients,
    move_the_clock,
)
from tests.chaos.stage import Stage, staged, strike
from tests.chaos.victim import FAKETIME

pytestmark = pytest.mark.slow

SEEDS = tuple(map(int, os.environ.get("CHAOS_SEEDS", "1,2,3,4,5,6").split(",")))
# What a pool may still open after the first round: SQLAlchemy's and the log reader's connections, each with a thread.
SPARE_DESCRIPTORS = 24
SPARE_THREADS = 12
SPARE_TASKS = 2


@pytest.mark.timeout(150)
async def test_killed_filled_locked_and_left_by_clients_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    async with staged(tmp_path, 1, users=3, longest=1.5) as stage:
        async with stage.load():
            # The full disk last: a restart after it would close what the server itself has to close.
            await strike(stage, (kill, lock_the_database, kill, half_close_clients, lose_clients, fill_the_disk))
        await stage.finish()
        print(stage.summary())


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
async def test_any_faults_in_any_order(tmp_path: Path, seed: int) -> None:
    async with staged(tmp_path, seed, users=5) as stage:
        async with stage.load():
            await strike(stage, stage.scene.chance.choices(FAULTS, k=14))
        await stage.finish()
        print(stage.summary())


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_one_kind_of_fault_again_and_again(tmp_path: Path, fault: Fault) -> None:
    async with staged(tmp_path, 7, users=3, longest=5.0) as stage:
        async with stage.load():
            await strike(stage, [fault] * 3)
        await stage.finish()
        print(stage.summary())


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS[:2])
async def test_time_may_jump_there_and_back(tmp_path: Path, seed: int) -> None:
    if FAKETIME is None:
        pytest.skip("NO CLOCK IS MOVED: libfaketime is not installed; try: apt-get install faketime")
    async with staged(tmp_path, seed, users=3, clock=True) as stage:
        async with stage.load():
            await strike(stage, (move_the_clock, move_the_clock, kill, move_the_clock, lose_clients, move_the_clock))
        await stage.finish()
        times = sorted(event["created_at"] for events in stage.logs.values() for event in events)
        first, last = (datetime.fromisoformat(time) for time in (times[0], times[-1]))
        assert (last - first).total_seconds() > 3000, "the clock was not moved"
        print(stage.summary())


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_descriptors_threads_and_tasks_return_to_where_they_were(tmp_path: Path) -> None:
    async with staged(tmp_path, 11, users=4) as stage:
        await a_round_of_faults(stage)
        calm = await stage.rest()
        counted = await stage.census()
        for _ in range(2):
            await a_round_of_faults(stage)
        bound = calm._replace(descriptors=calm.descriptors + SPARE_DESCRIPTORS, threads=calm.threads + SPARE_THREADS)
        held = await stage.rest(bound, counted["tasks"] + SPARE_TASKS)
        again = await stage.census()
        assert held.descriptors <= bound.descriptors, (calm, held)
        assert held.threads <= bound.threads, (calm, held, again)
        assert again["tasks"] <= counted["tasks"] + SPARE_TASKS, (counted, again)
        assert held.resident_mib <= calm.resident_mib * 1.3 + 40, (calm, held)  # the log's tail in memory is 32 MiB
        print(calm, held, counted["tasks"], again["tasks"], stage.summary())


async def a_round_of_faults(stage: Stage) -> None:
    """Everything that a process outlives, once."""
    async with stage.load():
        faults = list(SURVIVED)
        stage.scene.chance.shuffle(faults)
        await strike(stage, faults)


def test_small_disks_and_clocks_are_to_be_had() -> None:
    """Says in every run what is left out here, and why."""
    left_out = []
    if FAKETIME is None:
        left_out.append("moving the clock (apt-get install faketime)")
    if os.geteuid() != 0 or shutil.which("mount") is None:
        left_out.append("a small disk of its own (needs root); a limit on the size of files stands in for it")
    if left_out:
        pytest.skip("LEFT OUT OF CHAOS: " + "; ".join(left_out))
    assert set(DEADLY).isdisjoint(SURVIVED)
