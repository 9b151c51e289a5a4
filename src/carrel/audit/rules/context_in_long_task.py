"""A task that serves many requests, in the context of the one that happened to start it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import AnyOf, Condition, OnShared, Reachable, SharedClass
from carrel.audit.file_view import FileView
from carrel.audit.held import goes_round, keeps_context
from carrel.audit.origins import called_name
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import ForLaterRequests, ReadsContext, StartedInContext
from carrel.findings import RuleInfo

__all__ = ["ContextInLongTask"]

_STARTS: Final = frozenset({"create_task", "ensure_future"})
_START_SOON: Final = "start_soon"
"""The method of a group of tasks that is handed the function itself."""
_TAKES: Final = frozenset({"get", "recv", "receive", "blpop", "brpop", "xread", "xreadgroup", "next", "read",
                           "readline", "get_message", "pop", "anext"})  # fmt: skip
"""Methods by which a loop waits for the next thing that somebody has put somewhere."""

_CONNECTIONS: Final = frozenset({"WebSocket", "WebSocketServerProtocol", "ServerConnection", "WebSocketResponse"})
_LIFECYCLE: Final = re.compile(r"_*(?:a?start|setup|init|connect|launch|open|aenter|lifespan|run)(?:$|_)|on_start")


class ContextInLongTask:
    """`if self._loop is None: self._loop = asyncio.create_task(self._receive())` in a method that requests call."""

    info = RuleInfo(
        rule="context-in-long-task",
        code="CAR012",
        severity="error",
        title="A long-lived task keeps the context of the request that started it",
        why="A task takes a copy of the context variables when it is created. This one goes on for later requests, "
        "and what it calls for them reads the identity of the first.",
        fix="Put the identity (or `copy_context()`) into the queue with each item, or start the task with "
        "`context=contextvars.Context()` when the application starts.",
        page=rule_page("context-in-long-task"),
        leak_classes=(12,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            for call in function.nodes(ast.Call):
                coroutine = _started(call)
                loop = _block_of(view, coroutine, function) if coroutine is not None else None
                if loop is None:
                    if coroutine is not None and _is_lazy(view, call, function):
                        yield from self._elsewhere(view, call, function, coroutine)
                    continue
                if not goes_round(loop) and not _collects(view, function, loop):
                    continue
                if _is_lazy(view, call, function):
                    if not _is_of_connection(view, function):
                        yield self._candidate(view, call, function, loop)
                elif function.is_initializer and function.class_ is not None:
                    yield self._of_object(view, call, function, function.class_, loop)
                elif (shared := _serves_all(view, loop)) is not None:
                    yield self._of_queue(view, call, function, loop, shared)

    def _of_object(self, view: FileView, call: ast.Call, function: Block, owner: Block, loop: Block) -> Candidate:
        """`self.task = create_task(self._serve())` of a session that later requests find under its id."""
        message = f"who makes a `{owner.name}` starts `{loop.name}`, which serves later requests in their context"
        later = AnyOf((ForLaterRequests(owner.symbol), SharedClass(owner.symbol)))
        given = (later, ReadsContext(loop.symbol, function.symbol))
        place = view.location(loop.node, "goes on for later requests")
        return view.candidate(self.info, call, message, block=function, given=given, related=(place,))

    def _of_queue(
        self, view: FileView, call: ast.Call, function: Block, loop: Block, shared: tuple[Condition, ...]
    ) -> Candidate:
        """`create_task(self._drain())` where `_drain` goes round for what all requests put into one queue."""
        message = f"`{function.name}` starts `{loop.name}` in the context of one request, and it serves others too"
        given = (*shared, ReadsContext(loop.symbol, function.symbol))
        place = view.location(loop.node, "goes on for later requests")
        return view.candidate(self.info, call, message, block=function, given=given, related=(place,))

    def _elsewhere(self, view: FileView, call: ast.Call, function: Block, coroutine: ast.expr) -> Iterator[Candidate]:
        """As `_candidate`, of a loop that another file defines."""
        loop = view.path(coroutine, function)
        if loop and not _is_of_connection(view, function):
            name = loop.rpartition(".")[2]
            message = (
                f"the first caller of `{function.name}` starts `{name}`, which serves the later ones in its context"
            )
            reads = ReadsContext(loop, function.symbol, in_loop=True)
            yield view.candidate(self.info, call, message, block=function, grades=(Grade("error", (reads,)),))

    def _candidate(self, view: FileView, call: ast.Call, function: Block, loop: Block) -> Candidate:
        message = (
            f"the first caller of `{function.name}` starts `{loop.name}`, which serves the later ones in its context"
        )
        started = StartedInContext(function.symbol)
        grades = [Grade("error", (ReadsContext(loop.symbol, function.symbol),))]
        if _LIFECYCLE.match(function.name) is None:
            grades.append(Grade("warning", (ReadsContext(loop.symbol), Reachable(function.symbol))))
        if _calls_unknown(view, loop) and not _comes_with_more(loop):
            # What a callable that it was given reads, nobody can tell.
            on_shared = (OnShared(function.symbol),) if function.class_ is not None else ()
            grades.append(Grade("warning", (started, *on_shared)))
        place = view.location(loop.node, "goes on for later requests")
        return view.candidate(self.info, call, message, block=function, grades=tuple(grades), related=(place,))


def _is_of_connection(view: FileView, function: Block) -> bool:
    """Whether its object is made with a client's WebSocket, and so for what comes over that one alone."""
    made = (one for one in view.methods(function.class_) if one.is_initializer) if function.class_ is not None else ()
    return any(view.annotation_name(one.annotation) in _CONNECTIONS for method in made for one in method.parameters)


def _started(call: ast.Call) -> ast.expr | None:
    """The coroutine function that becomes a task."""
    name = called_name(call)
    if not call.args or any(one.arg == "context" for one in call.keywords):
        return None
    if name == _START_SOON:
        return call.args[0]
    return call.args[0].func if name in _STARTS and isinstance(call.args[0], ast.Call) else None


def _is_lazy(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether the task, or its group, is kept, and started only when there is none that runs."""
    around = list(view.ancestors(call))
    own: tuple[ast.AST, ...] = tuple(one for one in around if isinstance(one, ast.Assign | ast.AnnAssign))
    stores = own or tuple(function.nodes(ast.Assign, ast.AnnAssign))
    tests = [
        ast.unparse(one.test)
        for one in function.nodes(ast.If)
        if one in around or isinstance(one.body[-1], ast.Return) or own
    ]
    if any(name in test for store in stores for name in _kept_names(store, function) for test in tests):
        return True
    # `task = tasks.get(key)`, and then `if task is None: tasks[key] = create_task(...)`.
    kept = {name.partition("[")[0] for store in own for name in _kept_names(store, function) if "[" in name}
    found = {
        target.id for assign in function.nodes(ast.Assign) for target in assign.targets
        if isinstance(target, ast.Name) and ast.unparse(assign.value).partition(".get(")[0] in kept
    }  # fmt: skip
    return any(isinstance(one, ast.If) and not found.isdisjoint(ast.unparse(one.test).split()) for one in around)


def _kept_names(store: ast.AST, function: Block) -> Iterator[str]:
    """What outlives the function, of what the statement binds."""
    targets = store.targets if isinstance(store, ast.Assign) else [getattr(store, "target", None)]
    for target in targets:
        if isinstance(target, ast.Attribute | ast.Subscript) or (
            isinstance(target, ast.Name) and target.id in function.scope.globals
        ):
            yield ast.unparse(target)


def _block_of(view: FileView, coroutine: ast.expr, function: Block) -> Block | None:
    access = view.access(coroutine, function)
    symbol = view.symbol_path(access)
    return next((one for one in view.functions if one.symbol == symbol and one.is_async), None)


def _serves_all(view: FileView, loop: Block) -> tuple[Condition, ...] | None:
    """What must hold elsewhere for the loop to go round for what all requests put in one place; `None`: it does not."""
    sources = [one.iter for one in loop.nodes(ast.AsyncFor)]
    calls = [one.value for one in loop.nodes(ast.Await) if isinstance(one.value, ast.Call)]
    sources += [one.func.value for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr in _TAKES]
    for source in sources:
        access = view.access(source, loop)
        if access.is_shared_name or (access.kind == "parameter" and access.name in ("app", "application")):
            return ()
        if access.own_class is not None and access.steps:
            owner = access.own_class.symbol
            return (AnyOf((SharedClass(owner), ForLaterRequests(owner))),)
    return None


def _collects(view: FileView, function: Block, loop: Block) -> bool:
    """Whether the coroutine takes over all that the callers of the function have put in one place until then."""
    put = {
        mutation.target.attr
        for mutation in view.mutations_in(function)
        if isinstance(mutation.target, ast.Attribute) and mutation.kind in ("method", "item") and not mutation.removes
    }
    emptied = (one for one in loop.nodes(ast.Attribute) if one.attr in put and isinstance(one.ctx, ast.Store))
    return keeps_context(loop) and any(True for _ in emptied)


def _comes_with_more(loop: Block) -> bool:
    """Whether what it goes round for comes in pairs, of which one part may say for whom: `who, item = await take()`."""
    taken = [one.target for one in loop.nodes(ast.For, ast.AsyncFor)]
    taken += [one.targets[0] for one in loop.nodes(ast.Assign) if isinstance(one.value, ast.Await)]
    return any(isinstance(one, ast.Tuple) for one in taken)


def _calls_unknown(view: FileView, loop: Block) -> bool:
    """Whether it calls what its object was given: `self._load(key)` after `self._load = load`."""
    given = {
        mutation.name
        for mutation in view.mutations
        if mutation.kind == "attribute" and mutation.block.class_ is loop.class_
        for value in mutation.values
        if view.access(value, mutation.block).kind == "parameter"
    }
    return any(
        access.kind == "self" and len(access.steps) == 1 and access.steps[0] in given
        for call in loop.nodes(ast.Call)
        for access in view.accesses(call.func, loop)
    )
