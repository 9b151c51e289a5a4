from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Self

import pytest

from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import IsolationError
from carrel.runtime.agent import AgentResult, AgentRun
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.factory import AgentFactory
from carrel.runtime.old_registry import OldRegistry, registry_of
from carrel.runtime.registry import AgentRegistry, AgentSpec
from carrel.testing import MemoryEventLog, MemoryRuntime


class Keeper:
    """Keeps what it is told, as shared agents do by accident."""

    description = "Keeps."

    def __init__(self, *_: Any, **__: Any) -> None:
        self.callbacks: list[str] = []

    async def run(self, run: AgentRun) -> str:
        self.callbacks.append(run.input)
        return ",".join(self.callbacks)


class NamedKeeper(Keeper):
    name = "keeper"


class Locked(Keeper):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class SelfCopying(Keeper):
    def __deepcopy__(self, memo: Any) -> SelfCopying:
        return self


class Slotted:
    __slots__ = ("callbacks",)

    def __init__(self) -> None:
        self.callbacks: list[str] = []

    run = Keeper.run


class Singleton(Keeper):
    one: Any = None

    def __new__(cls) -> Self:
        if cls.one is None:
            cls.one = super().__new__(cls)
        return cls.one  # type: ignore[no-any-return]

    def __init__(self) -> None:
        if not hasattr(self, "callbacks"):
            super().__init__()


class Inventory(list[str]):
    """Keeps in itself what it is told."""

    async def run(self, run: AgentRun) -> str:
        self.append(run.input)
        return ",".join(self)


class Forwarding:
    """Has an attribute of every name, as proxies and stand-ins have."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def forward(*_: Any) -> type[Stateless]:
            self.asked.append(name)
            return Stateless

        return forward

    def __getitem__(self, name: str) -> None:
        raise AssertionError


class Answering(Forwarding):
    def get_agent(self, name: str) -> type[NamedKeeper]:
        return NamedKeeper


class Stateless:
    async def run(self, run: AgentRun) -> str:
        return run.input


class Listed:
    """A registry in the old style."""

    def __init__(self, find: Callable[[str], Any]) -> None:
        self._find = find

    def get(self, name: str) -> Any:
        return self._find(name) if name == "keeper" else None

    def list_agents(self) -> list[str]:
        return ["keeper"]


class ForUsers(Listed):
    def get(self, name: str, context: Any = None) -> Any:
        return None if context is None else super().get(name)


class Async(Listed):
    async def get_async(self, name: str, context: Any = None) -> Any:
        return super().get(name)


class Getter:
    def __init__(self, find: Callable[[str], Any]) -> None:
        self._find = find

    def get_agent(self, name: str) -> Any:
        return self._find(name)


class Items:
    def __init__(self, find: Callable[[str], Any]) -> None:
        self._find = find

    def __getitem__(self, name: str) -> Any:
        if name != "keeper":
            raise KeyError(name)
        return self._find(name)


async def ask(agents: AgentRegistry, user_id: str, text: str, name: str = "keeper") -> AgentResult:
    context = MemoryRuntime().context(user_id)
    emitter = WebSocketEmitter(context, MemoryEventLog(), LocalBridge())
    async with UserExecutionEngine(
        context=context, agent_factory=AgentFactory(agents), websocket_emitter=emitter
    ) as engine:
        return await engine.execute_agent(name, text)


async def async_factory(context: Any, websocket_bridge: Any) -> Keeper:
    return Keeper(context, websocket_bridge)


SHARED = Keeper()
NO_NAME: Any = 7


@pytest.mark.parametrize("registry", [Listed, ForUsers, Async, Getter, Items])
@pytest.mark.parametrize(
    "found",
    [
        pytest.param(lambda: SHARED, id="one instance"),
        pytest.param(Keeper, id="an instance for each asking"),
        pytest.param(lambda: Keeper, id="class"),
        pytest.param(lambda: lambda: Keeper(), id="factory"),
        pytest.param(lambda: lambda context: Keeper(context), id="factory with context"),
        pytest.param(lambda: async_factory, id="async factory"),
        pytest.param(lambda: AgentSpec("keeper", "", NamedKeeper), id="spec"),
        pytest.param(Slotted, id="with slots"),
    ],
)
async def test_no_agent_carries_anything_from_one_request_to_the_next(
    registry: Callable[..., Any], found: Callable[[], Any]
):
    agents = registry_of(registry(lambda _: found()))
    for user in ("ada", "bob", "ada"):
        result = await ask(agents, user, f"secret of {user}")
        assert (result.status, result.output) == ("succeeded", f"secret of {user}"), result
    assert SHARED.callbacks == []


@pytest.mark.parametrize("instance", [Locked(), SelfCopying()])
async def test_one_instance_that_cannot_be_copied_is_refused_before_anything_is_written(instance: Keeper):
    with pytest.raises(IsolationError, match="'keeper'.*register its class, or a factory"):
        await ask(registry_of({"keeper": instance}), "ada", "")
    assert instance.callbacks == []


@pytest.mark.parametrize("found", [lambda one: lambda: one, lambda one: lambda context, bridge: one])
async def test_an_instance_that_a_factory_hands_to_a_second_user_is_refused(found: Callable[[Any], Any]):
    agents = registry_of({"keeper": found(Keeper())})
    assert (await ask(agents, "ada", "secret")).output == "secret"
    result = await ask(agents, "bob", "hello")
    assert (result.status, "register its class" in (result.error_message or "")) == ("failed", True)
    assert "secret" not in str(result)


async def test_a_pool_of_instances_is_not_shared_between_users():
    pool = [Keeper(), Keeper()]
    turns = iter(range(1000))
    agents = registry_of(Listed(lambda _: pool[next(turns) % 2]))
    outputs = [(await ask(agents, user, f"secret of {user}")) for user in ("ada", "bob", "ada", "bob")]
    assert not any("ada" in result.output for result in outputs[1::2])


async def test_a_class_that_is_a_singleton_is_not_shared_between_users():
    agents = registry_of({"keeper": Singleton})
    assert (await ask(agents, "ada", "secret")).status == "succeeded"
    assert (await ask(agents, "bob", "hello")).status == "failed"


async def test_a_singleton_found_for_each_user_is_copied_per_request():
    instance = Locked()
    result = await ask(registry_of(ForUsers(lambda _: instance)), "ada", "")
    assert (result.status, instance.callbacks) == ("failed", [])


async def test_agent_functions_of_carrel_are_agents():
    async def echo(run: AgentRun) -> str:
        """Says it again."""
        return run.input

    agents = registry_of({"echo": echo, "stateless": Stateless()})
    assert (await ask(agents, "ada", "hi", "echo")).output == "hi"
    assert (await ask(agents, "ada", "hi", "stateless")).output == "hi"
    assert agents["echo"].description == "Says it again."


async def test_copies_have_what_the_instance_had_and_give_nothing_back():
    inventory, stateless = Inventory(["from the start"]), Stateless()
    agents = registry_of({"inventory": inventory, "stateless": stateless})
    for user in ("ada", "bob"):
        assert (await ask(agents, user, user, "inventory")).output == f"from the start,{user}"
    assert inventory == ["from the start"]
    made: object = agents["stateless"].make()
    assert made is not stateless
    assert isinstance(made, Stateless)


def test_the_registry_can_be_listed():
    agents = registry_of(Listed(lambda _: Keeper))
    assert (list(agents), len(agents), "keeper" in agents, "other" in agents, NO_NAME in agents) == (
        ["keeper"],
        1,
        True,
        False,
        False,
    )
    assert agents["keeper"].description == "Keeps."
    assert agents.get("other") is None
    assert "OldRegistry" in repr(agents)
    unlisted = registry_of(Getter(lambda name: Keeper if name == "keeper" else None))
    assert (list(unlisted), "keeper" in unlisted, "other" in unlisted) == ([], True, False)


async def test_a_name_that_only_a_request_can_look_up_may_not_be_there():
    agents = registry_of(ForUsers(lambda _: None))
    result = await ask(agents, "ada", "")
    assert (result.status, result.error_code) == ("failed", "agent_not_found")
    assert "other" not in agents


def test_carrels_own_registry_stays_as_it_is():
    own = AgentRegistry([])
    assert registry_of(own) is own


@pytest.mark.parametrize("found", [7, "agent", object()])
def test_what_is_no_agent_is_refused_with_what_is(found: object):
    with pytest.raises(TypeError, match=f"{type(found).__name__} as 'keeper'; register a class"):
        OldRegistry({"keeper": found})["keeper"]


@pytest.mark.parametrize("registry", [None, 7, object()])
def test_what_is_no_registry_is_refused(registry: object):
    with pytest.raises(TypeError, match=r"pass AgentRegistry\(agents\)"):
        OldRegistry(registry)


def test_from_registry_warns_at_its_callers_line():
    with pytest.warns(DeprecationWarning, match=r"AgentFactory\(AgentRegistry\(agents\)\)") as caught:
        factory = AgentFactory.from_registry({"keeper": Keeper})
    assert [warning.filename for warning in caught] == [__file__]
    assert list(factory.registry) == ["keeper"]


def test_of_a_registry_that_answers_to_every_name_what_it_declares_is_asked_first_and_else_get():
    declared, forwarding = Answering(), Forwarding()
    assert OldRegistry(declared)["keeper"].description == "Keeps."
    assert declared.asked == []
    assert "keeper" in OldRegistry(forwarding)
    assert forwarding.asked == ["get"]
