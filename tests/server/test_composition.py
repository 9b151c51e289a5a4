"""Putting the server together, and taking it apart when something is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from carrel.context import RequestId, UserContext, UserId
from carrel.errors import LimitExceededError, SettingsError, StorageError
from carrel.runtime.run_request import RunRequest
from carrel.runtime.scheduler import RunScheduler
from carrel.server import composition
from carrel.server.composition import open_services
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from tests.server.served import settings_for


async def test_parts_share_what_they_must(tmp_path: Path) -> None:
    async with open_services(settings_for(tmp_path)) as (services, demo):
        assert demo is None
        assert services.registry is services.engines.registry
        assert services.database.path == tmp_path / "carrel.db"
        assert tuple(services.registry) == ("supervisor", "echo", "stall")
        assert services.scheduler.statistics().running == 0


async def test_the_settings_reach_their_parts(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, run_seconds=7, max_connections_per_user=1, environment="production")
    async with open_services(settings) as (services, _):
        assert services.engines.limits.run_seconds == 7
        assert services.meters.limits == services.engines.limits == settings.limits
        with pytest.raises(LimitExceededError, match="connections_per_user is 1"):
            services.meters.check_connection(UserId("ann"), 1)
        assert services.engines._production


async def test_the_first_start_gives_a_demo_login(tmp_path: Path) -> None:
    async with open_services(settings_for(tmp_path, demo_user=True, secret=None)) as (_, demo):
        assert demo is not None
    async with open_services(settings_for(tmp_path, demo_user=True, secret=None)) as (_, demo):
        assert demo is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"agents": "tests.server.missing:AGENTS"}, "CARREL_AGENTS"),
        ({"agents": "tests.server.serving:PASSWORD"}, "must be a tuple"),
        ({"agents": "tests.server.test_composition:EMPTY"}, "names no agent"),
        ({"tools": "tests.server.served:AGENTS"}, "which is no tool"),
        ({"model": "nonsense", "agents": ()}, "CARREL_MODEL"),
        ({"secret": None, "environment": "production"}, "CARREL_SECRET"),
    ],
    ids=str,
)
async def test_what_is_missing_is_said_and_nothing_stays_open(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        async with open_services(settings_for(tmp_path, **changes)):
            pass
    async with open_services(settings_for(tmp_path)):
        pass


EMPTY = ()


async def test_a_database_in_use_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = await Database.open(tmp_path / "carrel.db")
    log = await SqliteEventLog.open(database)
    with pytest.raises(StorageError, match="another carrel process is serving"):
        async with open_services(settings_for(tmp_path)):
            pass
    await log.close()
    await database.close()


async def test_what_a_crash_left_open_is_closed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = UserContext(user_id=UserId("ann"), request_id=RequestId("r"))

    async def nothing(*_: object) -> None: ...

    with monkeypatch.context() as patched:
        # As if the process had been killed: nobody ends the run.
        patched.setattr(RunScheduler, "drain", nothing)
        async with open_services(settings_for(tmp_path)) as (services, _):
            accepted = await services.scheduler.start(ann, RunRequest(input="wait", agent="stall"))
            while (await services.log.state(ann)).top < 2:
                await services.threads.list_threads(ann)
            for task in services.scheduler._tasks:
                task.cancel()
            await services.log.close()
    async with open_services(settings_for(tmp_path)) as (services, _):
        record = await services.runs.get_run(ann, accepted.run_id)
        assert record.state == "interrupted"


async def test_old_events_are_dropped_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    async def retain(_: object, *bounds: Any) -> int:
        asked.append(bounds)
        if len(asked) == 1:
            raise StorageError("busy")
        return 0

    monkeypatch.setattr(SqliteEventLog, "retain", retain)
    monkeypatch.setattr(composition, "RETENTION_SECONDS", 0.0)
    async with open_services(settings_for(tmp_path, keep_events=500, keep_days=2)) as (services, _):
        while len(asked) < 3:
            await services.threads.list_threads(UserContext(user_id=UserId("ann"), request_id=RequestId("r")))
    assert set(asked) == {(500, 2 * 86_400)}
