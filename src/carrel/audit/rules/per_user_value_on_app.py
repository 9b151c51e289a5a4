"""A value of one user on the application object, or caught in something that the application keeps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import names_user
from carrel.audit.chains import chain_names
from carrel.audit.conditions import UserDependency
from carrel.audit.data_conditions import KeepsByKey, MadeForPerson
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_OBJECTS, REQUEST_TYPES
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, identities, is_fixed, leaves, parameters_in
from carrel.audit.places import is_start_up
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import ReadsIdentity
from carrel.audit.sharing import reached
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["PerUserValueOnApp"]

_APPS: Final = frozenset({"app", "application", "current_app", "_app", "bot", "server"})
_CONTAINERS: Final = frozenset({"DeclarativeContainer", "DynamicContainer"})
_ONE_FOR_ALL: Final = frozenset({"Singleton", "ThreadSafeSingleton", "ThreadLocalSingleton", "Resource"})
_ONE_EACH: Final = frozenset({"Factory", "Callable", "Coroutine", "ContextLocalSingleton", "Dependency"})
"""Providers of `dependency_injector`."""
_PROVER: Final = re.compile(r"^_?(?:get_|require_|load_)*(?:current|authenticated|request)_(?:active_)?"
                            r"(?:user|principal|identity|account|tenant|customer|member)(?:_id)?$")  # fmt: skip
_REQUESTS: Final = frozenset({"request", "req", "websocket", "ws"})
_WHO: Final = frozenset({"session", "headers", "cookies", "token", "user", "credentials"})
"""What of a request tells who sent it."""
_WHERE: Final = re.compile(r"(?i)host|forwarded|origin|referer|accept|agent|content|lang")
"""Headers that tell where the request goes, and how it is to be answered."""
_LIFETIMES: Final = frozenset({"scope", "lifetime", "lifestyle", "lifecycle"})
_ONE: Final = re.compile(r"(?i)singleton|\bapp\b|application|\bglobal\b")
_REGISTERS_ONE: Final = frozenset(
    {"singleton", "add_singleton", "register_singleton", "Singleton", "ThreadSafeSingleton"}
)
"""What tells a container to make one object of a class for all."""
_PLACES: Final = frozenset({"state", "config", "extensions", "ctx", "bot_data", "settings"})


class PerUserValueOnApp:
    """`request.app.state.user = user`, or `app.state.reports = ReportService(scope)` with the scope of one user."""

    info = RuleInfo(
        rule="per-user-value-on-app",
        code="CAR035",
        severity="error",
        title="The application object keeps a value of one user",
        why="There is one application for all requests. What a request stores on it, or an object that it keeps made "
        "from one user's dependency, is what the next user's request works with.",
        fix="Use `request.state` (or `request['user']` in aiohttp); give kept services the user with each call.",
        page=rule_page("per-user-value-on-app"),
        leak_classes=(35,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            place = _place(view, mutation)
            if place:
                yield from self._candidates(view, mutation, place)
        for function in view.functions:
            for call in function.nodes(ast.Call):
                yield from self._resolved(view, call, function)
        for block in view.blocks:
            for call in block.nodes(ast.Call):
                yield from self._singleton(view, call, block)
        for owner in view.classes:
            if not _CONTAINERS.isdisjoint(view.base_names(owner)):
                yield from self._captive(view, owner)

    def _candidates(self, view: FileView, mutation: Mutation, place: str) -> Iterator[Candidate]:
        block = mutation.block
        # A profile that was loaded for the caller is the caller's.
        direct = not (is_identity_like(mutation.name) and _is_of_request(mutation.target))
        told = [text for value in mutation.values for text in identities(view, value, block, direct=direct)]
        served = reached(view, block)
        told = told or list(_asked_with(view, mutation))
        taint = view.best_taint(mutation.values, block) if ".bot_data" in place else None
        if taint is not None and taint.by == "request":
            told.append(ast.unparse(mutation.values[0]))
        if told:
            message = f"`{place}` keeps `{told[0]}`, and every request has the same application"
            # What an application is started with is everybody's, unless a request gets there.
            starts = block.has_decorator("asynccontextmanager", "on_event") or block.name == "lifespan"
            grades = (Grade("error", served),) if starts else (Grade("error", served), Grade("info"))
            yield view.candidate(self.info, mutation.node, message, block=block, grades=grades)
            return
        for name, dependency in _dependencies(view, mutation, block):
            message = f"`{place}` keeps `{name}`, which a dependency makes for one user's request"
            # What says by its name that it is the caller need not be in this code base.
            asked = _PROVER.match(dependency.rpartition(".")[2]) is not None
            if asked and is_start_up(view.module.path):
                continue
            given = served if asked else (UserDependency(dependency),)
            yield view.candidate(self.info, mutation.node, message, block=block, given=given)
            return

    def _resolved(self, view: FileView, call: ast.Call, function: Block) -> Iterator[Candidate]:
        """`container.resolve(LedgerService, principal=principal)`, which keeps what it made for the first caller."""
        if not call.args or not _is_kind(call.args[0]):
            return
        for keyword in call.keywords:
            told = keyword.arg if keyword.arg is not None and is_identity_like(keyword.arg) else ""
            path = view.symbol_path(view.access(call.func, function)) if told else ""
            if path and not isinstance(keyword.value, ast.Constant):
                message = f"`{ast.unparse(call.func)}` makes one object for all, with the `{told}` of who asks first"
                # What is itself handed a dependency is called for requests.
                parameters = map(function.parameter, parameters_in(view, keyword.value, function))
                injected = any(one is not None and view.dependency(one) for one in parameters)
                grades = (Grade("error", () if injected else reached(view, function)), Grade("info"))
                yield view.candidate(self.info, call, message, block=function, given=(KeepsByKey(path, "0", told),),
                                     grades=grades)  # fmt: skip
                return

    def _singleton(self, view: FileView, call: ast.Call, block: Block) -> Iterator[Candidate]:
        """`container.register(ChartService, scope="singleton")`, where a `ChartService` is made with a `Patient`."""
        if called_name(call) == "Provide" and call.args and _is_kept(call):
            message = f"what `{ast.unparse(call.args[0])}` gives is made once, for whoever asks for it first"
            giver = view.function_named(view.dotted(call.args[0]))
            handed = giver is not None and _hands_on_request(view, giver)
            asks = () if handed else (UserDependency(view.path(call.args[0], block)),)
            yield view.candidate(self.info, call, message, block=block, given=asks)
        lifetimes = [ast.unparse(one.value) for one in call.keywords if one.arg in _LIFETIMES]
        is_one = called_name(call) in _REGISTERS_ONE or any(_ONE.search(one) for one in lifetimes)
        for kind in call.args[:2] if is_one else ():
            path = view.path(kind, block) if _is_kind(kind) and not isinstance(kind, ast.Constant) else ""
            if path:
                message = f"one `{ast.unparse(kind)}` is made for all, with what belongs to whoever asks for it first"
                yield view.candidate(self.info, call, message, block=block, given=(MadeForPerson(path),))

    def _captive(self, view: FileView, owner: Block) -> Iterator[Candidate]:
        """The providers of a container that make one object for all from what another one makes for each request."""
        made = {name: binding.value for name, bindings in owner.scope.bindings.items() for binding in bindings}
        for name, value in made.items():
            if not isinstance(value, ast.Call) or called_name(value) not in _ONE_FOR_ALL:
                continue
            for argument in (*value.args[1:], *(one.value for one in value.keywords)):
                told = argument.id if isinstance(argument, ast.Name) else ""
                inner = made.get(told)
                if not isinstance(inner, ast.Call) or called_name(inner) not in _ONE_EACH or not inner.args:
                    continue
                asks = ReadsIdentity(view.path(inner.args[0], owner), itself=True)
                known = names_user(told) or _reads_request(view, inner.args[0])
                message = f"`{name}` is made once, with the `{told}` of whoever asks for it first"
                yield view.candidate(self.info, value, message, block=owner, given=() if known else (asks,),
                                     related=(view.location(inner, "made for each request"),))  # fmt: skip


def _is_kept(call: ast.Call) -> bool:
    """Whether what a dependency gives is kept for all: `Provide(mailer, use_cache=True)` of Litestar."""
    return any(one.arg == "use_cache" and ast.unparse(one.value) == "True" for one in call.keywords)


def _hands_on_request(view: FileView, giver: Block) -> bool:
    """Whether what it gives is made with the request that it is handed: `Desk(clerk_of(request))`."""
    requests = {one.name for one in giver.parameters if view.annotation_name(one.annotation) in REQUEST_TYPES}
    given = [one.value for one in giver.nodes(ast.Return) if one.value is not None]
    handed = (part for value in given for leaf, _ in leaves(view, value, giver) if isinstance(leaf, ast.Call)
              for part in (*leaf.args, *(one.value for one in leaf.keywords)))  # fmt: skip
    return any(isinstance(one, ast.Name) and one.id in requests for one in handed)


def _reads_request(view: FileView, made: ast.expr) -> bool:
    """Whether it is a lambda that takes something of the current request: `lambda: g.customer`."""
    return isinstance(made, ast.Lambda) and any(
        isinstance(one, ast.Name | ast.Attribute) and view.dotted(one) in REQUEST_OBJECTS for one in ast.walk(made.body)
    )


def _asked_with(view: FileView, mutation: Mutation) -> Iterator[str]:
    """What of a request says who sent it, where the value was made or fetched with it: `request.session["contract"]`.

    Only in what is handed the request itself: a handler, or what runs before all of them.
    """
    block = mutation.block
    if not _is_of_request(mutation.target):
        return
    for value in mutation.values:
        for leaf, _ in leaves(view, value, block):
            names = chain_names(leaf)
            held = view.module.parent(leaf)
            key = ast.unparse(held.slice) if isinstance(held, ast.Subscript) and held.value is leaf else ""
            if len(names) == 2 and names[0] in _REQUESTS and names[1] in _WHO and not _WHERE.search(key):
                yield ast.unparse(leaf)


def _is_kind(node: ast.expr) -> bool:
    """Whether it says what kind of object is asked for: a class, or a name that is written down."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).rpartition(".")[2][:1].isupper()


def _place(view: FileView, mutation: Mutation) -> str:
    """The place on the application that is given a value, as text; empty when it is something else, or has a key."""
    if mutation.kind == "attribute" and isinstance(mutation.target, ast.Attribute):
        if mutation.target.attr in _PLACES and _is_app(mutation.target.value):
            return f"{ast.unparse(mutation.target)}.{mutation.name}"
    elif mutation.kind == "rebind" and any(view.dependency(one) for one in mutation.block.parameters):
        # A dependency that keeps what it made, `global _service`, gives it to all who depend on it.
        return mutation.name if mutation.name in mutation.block.scope.globals else ""
    elif (
        mutation.kind == "item" and mutation.keys and all(is_fixed(view, key, mutation.block) for key in mutation.keys)
    ):
        target = mutation.target
        # Of a bot's `context.bot_data` there is one, whatever leads there.
        inner = isinstance(target, ast.Attribute) and (
            target.attr == "bot_data" or (target.attr in _PLACES and _is_app(target.value))
        )
        if inner or (_is_app(target) and isinstance(target, ast.Attribute)):
            return f"{ast.unparse(target)}[{ast.unparse(mutation.keys[-1])}]"
    return ""


def _is_of_request(node: ast.expr) -> bool:
    """Whether a request leads to the application: `request.app.state`."""
    return chain_names(node)[0] in _REQUESTS


def _is_app(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in _APPS


def _dependencies(view: FileView, mutation: Mutation, block: Block) -> Iterator[tuple[str, str]]:
    for value in mutation.values:
        for name in parameters_in(view, value, block):
            parameter = block.parameter(name)
            dependency = view.dependency(parameter) if parameter is not None else None
            if dependency:
                yield name, dependency
