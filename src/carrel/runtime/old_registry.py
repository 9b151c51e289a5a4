"""Registries of another code base, seen as carrel's, whose agents no two users ever share."""

from __future__ import annotations

import copyreg
import inspect
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import partial
from inspect import CO_COROUTINE, CO_VARARGS, CO_VARKEYWORDS
from types import BuiltinFunctionType, MethodType
from typing import Any, Final, cast

from carrel.context import RequestId, UserExecutionContext
from carrel.delivery.old_calls import call_in_order, call_known, parameters_of, settled
from carrel.errors import AgentNotFoundError, IsolationError
from carrel.runtime.agent import Agent
from carrel.runtime.old_agent import AgentSource, OldAgent, described, is_agent
from carrel.runtime.registry import AgentRegistry, AgentSpec
from carrel.runtime.run_bridge import RunBridge

__all__ = ["OldRegistry", "registry_of"]

LOOK_UPS: Final = ("get_async", "get", "get_agent")
ANSWERED: Final = ("get", "get_agent", "get_async", "__getitem__")
LISTS: Final = ("list_keys", "list_agents", "keys", "__iter__")
PICKLE_PROTOCOL: Final = 4
NAME_ALONE: Final = 2
"""How many arguments a method has that takes a name and nothing else: with `self`."""
MORE: Final = CO_VARARGS | CO_VARKEYWORDS
MARK: Final = "_carrel_user_id"
"""Whom an agent that was not made by carrel has worked for: written on the agent itself."""


class OldRegistry(AgentRegistry):
    """The agents of any object with `get(name)`, `get_agent(name)`, `get_async(name)` or `[name]`, sync or async.

    What it finds may be a class, a factory (called with as many of the user's context and bridge as it takes), an
    agent function of carrel's or an instance. One instance for all is never run: each request runs a copy of it. What
    cannot be copied, or has worked for another user before, raises `IsolationError`. To tell, instances are asked for
    twice. A name is looked up once; when that takes a context, once per request.

    Agents get `given`, when there is one, as their context. `keep` gets what they answer, by request.
    """

    __slots__ = ("_given", "_keep", "_look_up", "_registry", "_sources")

    def __init__(
        self,
        registry: object,
        *,
        given: object | None = None,
        keep: Callable[[RequestId, object], None] | None = None,
    ) -> None:
        look_up = _look_up(registry)  # and no super().__init__: nothing is listed here, everything is looked up
        self._registry = registry
        self._look_up = look_up
        self._given = given
        self._keep = keep
        self._sources: dict[str, AgentSource] = {}

    def __getitem__(self, name: str) -> AgentSpec:
        source = self._sources.get(name) or self._find(name)
        return AgentSpec(name, source.description, partial(self.make, name))

    def __contains__(self, name: object) -> bool:
        """Whether there is one; raises `IsolationError` when it is one instance for all that cannot be copied."""
        if not isinstance(name, str):
            return False
        try:
            source = self._sources.get(name) or self._find(name)
        except KeyError:
            return False
        if type(source) is _Copies and source.spare is None:
            source.prepare()
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(_names(self._registry))

    def __len__(self) -> int:
        return len(_names(self._registry))

    def __repr__(self) -> str:
        return f"OldRegistry({self._registry!r})"

    def make(self, name: str) -> Agent:
        try:
            source = self._sources.get(name) or self._find(name)
        except KeyError:
            raise AgentNotFoundError(name, tuple(self)) from None
        if type(source) is _Copies and not hasattr(source.found, "execute"):
            agent: Agent = source.take()  # written for carrel: it needs nothing in between
            return agent
        return OldAgent(name, source, self._given, self._keep)

    def _find(self, name: str) -> AgentSource:
        """Where the agents of the name come from, looked up; raises `KeyError` when there are none."""
        look_up = self._look_up
        source: AgentSource
        if _takes_context(look_up):
            names = _names(self._registry)
            if names and name not in names:
                raise KeyError(name)
            source = _PerRequest(name, look_up, names)
        else:
            found = look_up(name)
            if found is None:
                raise KeyError(name)
            source = _source(name, found, look_up)
        self._sources[name] = source
        return source


def registry_of(
    registry: object,
    *,
    given: object | None = None,
    keep: Callable[[RequestId, object], None] | None = None,
) -> AgentRegistry:
    """`registry` as carrel's; one that is carrel's already is taken as it is.

    Raises `TypeError` when nothing can be looked up in it.
    """
    if AgentRegistry in type(registry).__mro__:  # isinstance is slow for a Mapping, and this is asked for every engine
        return cast("AgentRegistry", registry)
    return OldRegistry(registry, given=given, keep=keep)


def _look_up(registry: object) -> Callable[..., Any]:
    kind = type(registry)
    for name in LOOK_UPS:
        found: object = getattr(registry, name) if hasattr(kind, name) else None
        if callable(found):
            return found
    # What its class has not, it may make up for any name that it is asked for, as proxies and stand-ins do.
    for name in ANSWERED:
        made_up: object = getattr(registry, name, None)
        if callable(made_up):
            return made_up
    raise TypeError(
        f"registry is a {type(registry).__name__} without {', '.join(ANSWERED)}; pass AgentRegistry(agents)"
    )


def _takes_context(look_up: Callable[..., Any]) -> bool:
    """Whether it can only be asked during a request: for a user, or with `await`."""
    code = getattr(look_up, "__code__", None)
    if code is None and type(look_up) is BuiltinFunctionType:  # such as a mapping's
        return False
    if code is not None:
        if code.co_flags & CO_COROUTINE:
            return True
        if (
            type(look_up) is MethodType
            and code.co_argcount + code.co_kwonlyargcount == NAME_ALONE
            and not code.co_flags & MORE
        ):
            return False
    try:
        names = parameters_of(look_up).by_name
    except (TypeError, ValueError):  # Python cannot tell
        return False
    return "context" in names or "user_context" in names


def _names(registry: object) -> tuple[str, ...]:
    for name in LISTS:
        listed = getattr(registry, name, None)
        if callable(listed):
            names = listed()
            return tuple(str(one) for one in names) if isinstance(names, Iterable) else ()
    return ()


class _Source:
    """What was found under a name, and by it the description of the agents that come from it."""

    __slots__ = ("_name", "found")

    def __init__(self, name: str, found: Any) -> None:
        self._name = name
        self.found = found

    @property
    def description(self) -> str:
        return described(self.found)


class _Copies(_Source):
    """Copies of one instance that is shared; the instance itself is never run."""

    __slots__ = ("spare",)

    def __init__(self, name: str, instance: object, spare: object | None) -> None:
        self._name = name
        self.found = instance
        self.spare: Any = spare

    def prepare(self) -> None:
        """Make the next copy now, so that it is known whether one can be made."""
        self.spare = _copy(self._name, self.found)

    def take(self) -> Any:
        """A copy that nobody else gets."""
        spare, self.spare = self.spare, None
        return _copy(self._name, self.found) if spare is None else spare

    async def agent(self, context: object, run_context: UserExecutionContext, bridge: RunBridge) -> Any:
        return self.take()


class _Made(_Source):
    """Instances of a class, made with what its constructor names."""

    __slots__ = ()

    async def agent(self, context: object, run_context: UserExecutionContext, bridge: RunBridge) -> Any:
        known = {"context": context, "websocket_bridge": bridge, "user_id": run_context.user_id}
        made = call_known(self.found, known, f"the constructor of {self.found.__qualname__}")
        return _claimed(self._name, made, run_context)


class _Factory(_Source):
    """What a factory, or a spec's, makes for the user's context and this run's bridge."""

    __slots__ = ()

    async def agent(self, context: object, run_context: UserExecutionContext, bridge: RunBridge) -> Any:
        make = self.found.make if isinstance(self.found, AgentSpec) else self.found
        made = await settled(call_in_order(make, context, bridge))
        return _claimed(self._name, made, run_context)


class _PerRequest:
    """What a registry finds for a user."""

    __slots__ = ("_look_up", "_name", "_names")

    description = ""

    def __init__(self, name: str, look_up: Callable[..., Any], names: tuple[str, ...]) -> None:
        self._name = name
        self._look_up = look_up
        self._names = names

    async def agent(self, context: object, run_context: UserExecutionContext, bridge: RunBridge) -> Any:
        first = await settled(call_in_order(self._look_up, self._name, context))
        if first is None:
            raise AgentNotFoundError(self._name, self._names)
        if isinstance(first, type) or not is_agent(first):
            return await _source(self._name, first, lambda _: first).agent(context, run_context, bridge)
        second = await settled(call_in_order(self._look_up, self._name, context))
        return _copy(self._name, first) if first is second else _claimed(self._name, first, run_context)


class _Handed(_Source):
    """Instances of a registry that makes a new one whenever it is asked; the one that was found is never run."""

    __slots__ = ("_look_up",)

    def __init__(self, name: str, found: object, look_up: Callable[[str], Any]) -> None:
        super().__init__(name, found)
        self._look_up = look_up

    async def agent(self, context: object, run_context: UserExecutionContext, bridge: RunBridge) -> Any:
        return _claimed(self._name, self._look_up(self._name), run_context)


class _Function(_Source):
    """An agent function of carrel's; functions hold nothing."""

    __slots__ = ()

    async def agent(self, context: object, run_context: UserExecutionContext, bridge: RunBridge) -> Any:
        return self

    @property
    def run(self) -> Callable[..., Any]:
        function: Callable[..., Any] = self.found
        return function


def _source(name: str, found: Any, look_up: Callable[[str], Any]) -> AgentSource:
    """Where agents come from, by what was found under the name; an instance is looked up once more."""
    if is_agent(found) and not isinstance(found, type):
        bare = _bare(found)  # then it makes no difference whether another is handed out next time
        if bare is not None or look_up(name) is found:
            return _Copies(name, found, bare)
        return _Handed(name, found, look_up)
    if isinstance(found, AgentSpec):
        return _Factory(name, found)
    if isinstance(found, type):
        return _Made(name, found)
    if not callable(found):
        raise TypeError(
            f"the registry has a {type(found).__name__} as {name!r}; register a class with `async def run(self, run)`, "
            "an instance with `execute`, or a factory"
        )
    first = next(iter(parameters_of(found).by_name), None)
    if inspect.iscoroutinefunction(found) and first == "run":
        return _Function(name, found)
    return _Factory(name, found)


def _copy(name: str, instance: object) -> object:
    try:
        copied = _bare(instance) or deepcopy(instance)
    except Exception as error:
        raise _shared(name, "cannot be copied") from error
    if copied is instance:
        raise _shared(name, "copies itself as itself")
    return copied


def _bare(instance: object) -> object | None:
    """The copy of an instance that holds nothing, as `deepcopy` makes it, in a third of its time; None for others."""
    if hasattr(instance, "__deepcopy__"):
        return None
    cls, how = type(instance), instance.__reduce_ex__(PICKLE_PROTOCOL)
    plain = (copyreg.__newobj__, (cls,), None, None, None)  # type: ignore[attr-defined]  # typeshed leaves it out
    return cls.__new__(cls) if how == plain else None


def _claimed(name: str, agent: object, context: UserExecutionContext) -> object:
    """The agent, marked as this user's; raises `IsolationError` when it is another's."""
    try:
        attributes = vars(agent)
    except TypeError:  # slots: whether others have it cannot be known
        return _copy(name, agent)
    if attributes.setdefault(MARK, context.user_id) != context.user_id:
        raise _shared(name, "was handed out for another user before")
    return agent


def _shared(name: str, problem: str) -> IsolationError:
    return IsolationError(
        f"agent {name!r} of the registry (one instance for all, which {problem}: register its class, or a factory "
        "that makes a new one)"
    )
