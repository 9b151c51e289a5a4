from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from carrel import ExecutionEngine, LoggedBridge, MissingUserContextWarning, UserExecutionEngine
from carrel.context import UserExecutionContext, ambient_context
from carrel.delivery.bridge import LocalBridge
from carrel.errors import AgentNotFoundError, ContextError, EngineClosedError, IsolationError
from carrel.events import decode_event
from carrel.runtime.agent import AgentResult, AgentRun
from carrel.runtime.compat import engine_of
from carrel.testing import MemoryEventLog
from tests.runtime.lifecycle import grammatical, outline


class Remembering:
    """What teams had: one instance for all, which keeps what it was told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def execute(self, context: Any, run_id: str, stream_updates: bool, message: str) -> dict[str, Any]:
        self.heard.append(f"{context.user_id}: {message}")
        await asyncio.sleep(0)
        return {"heard": list(self.heard)}


class Waiting:
    async def run(self, run: AgentRun) -> str:
        await asyncio.sleep(3600)
        return ""


class Bridge:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    async def notify_agent_started(self, run_id: str, agent_name: str, user_context: Any = None) -> None:
        self.told.append(("started", run_id, user_context.user_id))

    async def notify_agent_completed(self, run_id: str, agent_name: str, result: Any, user_context: Any = None) -> None:
        self.told.append((result["status"], run_id, user_context.user_id))


def old_context(user_id: str = "ada", **more: Any) -> SimpleNamespace:
    return SimpleNamespace(user_id=user_id, thread_id=f"thread-{user_id}", run_id=f"run-{user_id}", **more)


def execution(agent: str, user_id: str, message: str = "") -> SimpleNamespace:
    return old_context(user_id, agent_name=agent, metadata={"message": message})


def quiet(registry: object, bridge: object | None = None, user_context: object = None, **how: Any) -> ExecutionEngine:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ExecutionEngine(registry, Bridge() if bridge is None else bridge, user_context, **how)


async def in_the_old_way(registry: object, bridge: object, user_context: object) -> ExecutionEngine:
    return await UserExecutionEngine.create_from_legacy(registry, bridge, user_context)


async def test_old_code_runs_as_it_is_written():
    bridge, context = Bridge(), old_context("ada")
    with pytest.deprecated_call():
        engine = ExecutionEngine({"note": Remembering()}, bridge, context)

    result = await engine.execute_agent(execution("note", "ada", "hello"), context)

    assert result.success
    assert (result.agent_name, result.data, result.error) == ("note", {"heard": ["ada: hello"]}, None)
    assert result.output == '{"heard":["ada: hello"]}'
    assert result.duration >= 0
    assert bridge.told == [("started", "run-ada", "ada"), ("succeeded", "run-ada", "ada")]


async def test_the_new_call_works_on_the_old_engine():
    engine = quiet({"note": Remembering()}, user_context=old_context())
    assert isinstance(engine, UserExecutionEngine)
    result = await engine.execute_agent("note", "hello")
    assert isinstance(result, AgentResult)
    assert result.data == {"heard": ["ada: hello"]}


async def test_two_users_of_one_old_instance_hear_nothing_of_each_other():
    shared = Remembering()
    registry = {"note": shared}
    engines = {user: quiet(registry, user_context=old_context(user)) for user in ("ada", "bob")}

    results = await asyncio.gather(
        *(engine.execute_agent("note", f"secret of {user}") for user, engine in engines.items())
    )

    assert [result.data for result in results] == [
        {"heard": ["ada: secret of ada"]},
        {"heard": ["bob: secret of bob"]},
    ]
    assert shared.heard == []


async def test_without_user_context_every_engine_works_for_somebody_new():
    with pytest.warns(MissingUserContextWarning, match="user_context"), pytest.deprecated_call():
        one, two = (ExecutionEngine({"note": Remembering()}, Bridge()) for _ in range(2))
    assert one.context.user_id != two.context.user_id
    assert one.context.thread_id != two.context.thread_id
    assert one.user_context is one.context
    result = await one.execute_agent("note", "hello")
    assert result.data == {"heard": [f"{one.context.user_id}: hello"]}


async def test_an_engine_made_without_user_works_for_whom_each_call_names():
    bridge, registry = Bridge(), {"note": Remembering()}
    engine = quiet(registry, bridge)
    for user in ("ada", "bob"):
        result = await engine.execute_agent(execution("note", user, "hi"))
        assert result.data == {"heard": [f"{user}: hi"]}
    assert bridge.told == [(what, f"run-{user}", user) for user in ("ada", "bob") for what in ("started", "succeeded")]


async def test_a_call_for_another_user_is_refused_and_nothing_is_told():
    bridge = Bridge()
    engine = quiet({"note": Remembering()}, bridge, old_context("ada"))
    for call in (
        (execution("note", "bob"),),
        ("note", old_context("bob")),
        (execution("note", "ada"), old_context("bob")),
    ):
        with pytest.raises(IsolationError):
            await engine.execute_agent(*call)
    assert bridge.told == []


async def test_strict_refuses_to_make_up_a_user():
    with pytest.deprecated_call(), pytest.raises(ContextError, match="user_context is missing"):
        ExecutionEngine({}, Bridge(), strict=True)
    with pytest.deprecated_call(), pytest.raises(ContextError, match="placeholder"):
        ExecutionEngine({}, Bridge(), old_context("default_user"), strict=True)
    assert quiet({}, user_context=old_context("ada"), strict=True).context.user_id == "ada"


@pytest.mark.parametrize(
    "make", [ExecutionEngine, UserExecutionEngine.from_legacy_params, in_the_old_way], ids=lambda make: make.__name__
)
async def test_each_old_call_gives_one_deprecation_that_names_the_new_call(make: Callable[..., Any]):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = make({"note": Remembering()}, Bridge(), old_context())
        engine = await made if asyncio.iscoroutine(made) else made
        await engine.execute_agent("note", "hello")
    assert [(warning.category, warning.filename) for warning in caught] == [(DeprecationWarning, __file__)]
    assert "UserExecutionEngine(context=..., agent_factory=..., websocket_emitter=...)" in str(caught[0].message)


def test_a_call_site_is_warned_about_once_and_another_one_again():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            ExecutionEngine({}, Bridge())
        ExecutionEngine({}, Bridge())
    sites = sorted((warning.category.__name__, warning.lineno) for warning in caught)
    assert len(sites) == len(set(sites)) == 4
    assert [name for name, _ in sites] == ["DeprecationWarning"] * 2 + ["MissingUserContextWarning"] * 2
    assert {warning.filename for warning in caught} == {__file__}


async def test_create_from_legacy_points_at_the_call_also_when_a_task_awaits_it():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await asyncio.create_task(UserExecutionEngine.create_from_legacy({}, Bridge()))
    assert [(warning.category.__name__, warning.filename) for warning in caught] == [
        ("DeprecationWarning", __file__),
        ("MissingUserContextWarning", __file__),
    ]


def test_warnings_as_errors_refuse_the_old_call():
    with warnings.catch_warnings():
        warnings.simplefilter("error", MissingUserContextWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(MissingUserContextWarning):
            ExecutionEngine({}, Bridge())


def test_an_engine_can_be_made_without_a_loop():
    engine = quiet({"note": Remembering()}, user_context=old_context())
    assert asyncio.run(engine.execute_agent("note", "hello")).success


async def test_every_further_call_is_a_run_of_its_own_in_carrels_log():
    log = MemoryEventLog()
    engine = quiet({"note": Remembering()}, LoggedBridge(log, LocalBridge()), old_context())
    first, second = [await engine.execute_agent("note", text) for text in ("one", "two")]
    assert (first.data, second.data) == ({"heard": ["ada: one"]}, {"heard": ["ada: two"]})
    events = grammatical([decode_event(logged.body) for logged in log.events(engine.context)])
    assert outline(events) == ["agent_started", "agent_completed succeeded"] * 2
    assert (events[0].run_id, events[0].run_id != events[2].run_id) == ("run-ada", True)


async def test_a_call_for_another_thread_of_the_user_keeps_what_the_user_may():
    seen: list[UserExecutionContext] = []

    async def note(run: AgentRun) -> None:
        seen.append(run.context)

    engine = quiet({"note": note}, user_context=old_context("ada", permissions={"usage:read"}))
    await engine.execute_agent("note", SimpleNamespace(user_id="ada", thread_id="another", run_id="r"))
    assert seen[0].thread_id == "another"
    assert seen[0].permissions == {"usage:read"}


async def test_a_cancel_ends_every_open_call():
    bridge = Bridge()
    engine = quiet({"wait": Waiting()}, bridge, old_context())
    calls = [asyncio.ensure_future(engine.execute_agent("wait", "")) for _ in range(3)]
    while len(bridge.told) < 3:
        await asyncio.sleep(0)
    engine.cancel()
    assert [result.status for result in await asyncio.gather(*calls)] == ["cancelled"] * 3
    assert not calls[0].result().success


@pytest.mark.parametrize("end", ["close", "shutdown", "cleanup"])
async def test_a_closed_engine_does_nothing_more(end: str):
    bridge = Bridge()
    engine = quiet({"wait": Waiting()}, bridge, old_context())
    calls = [asyncio.ensure_future(engine.execute_agent("wait", "")) for _ in range(2)]
    while len(bridge.told) < 2:
        await asyncio.sleep(0)
    await getattr(engine, end)()
    assert [result.status for result in await asyncio.gather(*calls)] == ["interrupted"] * 2
    for call in (("wait", ""), ("wait", "again")):
        with pytest.raises(EngineClosedError):
            await engine.execute_agent(*call)


async def test_a_call_that_comes_before_a_close_is_carried_out_is_refused():
    engine = quiet({"note": Remembering()}, user_context=old_context())
    closing = asyncio.ensure_future(engine.close())
    with pytest.raises(EngineClosedError):
        await engine.execute_agent("note", "hello")
    await closing


async def test_what_old_code_reads_is_there():
    registry, bridge, context = {"note": Remembering()}, Bridge(), old_context()
    engine = quiet(registry, bridge, context)
    assert (engine.registry, engine.websocket_bridge, engine.user_context) == (registry, bridge, context)


async def test_unknown_agents_and_unreadable_calls_raise():
    bridge = Bridge()
    engine = quiet({"note": Remembering()}, bridge, old_context())
    with pytest.raises(AgentNotFoundError, match="there are: note"):
        await engine.execute_agent("other", "")
    with pytest.raises(TypeError, match=r"call execute_agent\(agent, input\)"):
        await engine.execute_agent()
    assert bridge.told == []


async def test_agents_may_be_named_by_keyword():
    engine = quiet({"note": Remembering()}, user_context=old_context())
    assert (await engine.execute_agent(agent_name="note", input="one")).data == {"heard": ["ada: one"]}
    assert (await engine.execute_agent(context=execution("note", "ada", "two"))).data == {"heard": ["ada: two"]}


async def test_nothing_of_a_request_is_kept_by_the_engine():
    engine = quiet({"note": Remembering(), "fail": SimpleNamespace(run=None)}, user_context=old_context())
    await engine.execute_agent("note", "one")
    await engine.execute_agent("fail", "two")
    assert (engine._answers, engine._again) == ({}, ())


def test_an_engine_for_somebody_else_is_not_made_while_working_for_a_user():
    with ambient_context(quiet({}, user_context=old_context("ada")).context), pytest.raises(IsolationError):
        quiet({}, user_context=old_context("bob"))


def test_engine_of_leaves_the_warning_to_its_caller():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert engine_of({}, Bridge(), old_context(), strict=False, stacklevel=2).context.user_id == "ada"


@pytest.mark.parametrize(("registry", "bridge"), [(None, Bridge()), ({}, None), ({}, object())])
def test_what_is_neither_registry_nor_bridge_is_refused(registry: object, bridge: object):
    with pytest.deprecated_call(), pytest.raises(TypeError, match="pass"):
        ExecutionEngine(registry, bridge, old_context())
