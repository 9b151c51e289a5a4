"""A context variable that keeps the value of the last message that had one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import Condition, NamedElsewhere, Not
from carrel.audit.file_view import FileView
from carrel.audit.held import clears_context, is_under_test, names_identity, worker_loop
from carrel.audit.origins import leaves, says_which
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import CalledUnderTest, ContextVariable, LeftFromMessage
from carrel.findings import RuleInfo

__all__ = ["ContextNotReset"]

_BINDS: Final = ("structlog.contextvars.bind_contextvars", "structlog.threadlocal.bind_threadlocal")
_CURRENT: Final = re.compile(
    r"_?current_(?!.*(?:span|trace|task|level|log|locale|lang|zone|step|depth|path|file|event|message|record|batch))"
)
"""A variable that says for whom the work is done, in words of its own: `current_merchant`."""
_BEFORE_MESSAGE: Final = frozenset({"before_process_message", "pre_execute"})
"""Methods of middleware that a worker calls in the thread or task that then handles the message."""
_BEFORE_TASK: Final = "celery.signals.task_prerun.connect"
_Worker = ast.While | ast.AsyncFor | ast.For | ast.FunctionDef | ast.ClassDef | ast.Module


class ContextNotReset:
    """`while True: … if job.user: user.set(job.user)`, and nothing that resets it."""

    info = RuleInfo(
        rule="context-not-reset",
        code="CAR014",
        severity="error",
        title="A worker does not reset a context variable between messages",
        why="A worker's loop runs in one context. A message that sets nothing is handled with the identity of the "
        "one before it.",
        fix="Set the variable for every message, and reset it in a `finally`: `user.reset(token)`.",
        page=rule_page("context-not-reset"),
        leak_classes=(14,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            for call in function.nodes(ast.Call):
                dotted = view.dotted(call.func)
                if dotted not in _BINDS and not dotted.endswith(".set"):
                    continue
                loop = _worker(view, call, function)
                if loop is None and dotted.endswith(".set") and call.args:
                    yield from self._setter(view, call, function, dotted.removesuffix(".set"))
                if loop is None or clears_context(loop):
                    continue
                if loop is view.module.tree and _is_set_elsewhere(view, call, dotted.removesuffix(".set")):
                    continue
                if dotted in _BINDS:
                    if _is_partial(view, call, loop):
                        yield self._candidate(view, call, function, "bind_contextvars", ())
                elif dotted.endswith(".set") and call.args and _is_sometimes(view, call, loop, dotted):
                    variable = dotted.removesuffix(".set")
                    yield self._candidate(view, call, function, variable, (ContextVariable(variable),))

    def _setter(self, view: FileView, call: ast.Call, function: Block, variable: str) -> Iterator[Candidate]:
        """`def enter(tenant): current.set(tenant)`, which a worker's loop calls for some messages."""
        again = [
            each for each in view.functions for one in each.nodes(ast.Call)
            if one is not call and view.dotted(one.func) in (f"{variable}.set", f"{variable}.reset")
        ]  # fmt: skip
        if any(_is_used(view, one, function) for one in again):
            return
        left = tuple(Not(NamedElsewhere(one.symbol)) for one in again)
        given: tuple[Condition, ...]
        if is_under_test(view, call):
            name = variable.rpartition(".")[2]
            message = f"`{function.name}` sets `{name}` for some messages, and nothing resets it for the others"
            given = (*left, ContextVariable(variable), LeftFromMessage(variable, function.symbol, called=True))
            yield view.candidate(self.info, call, message, block=function, given=given)
        elif function.class_ is None:
            given = (*left, ContextVariable(variable), CalledUnderTest(function.symbol, by_worker=True))
            yield self._candidate(view, call, function, variable, given)

    def _candidate(
        self, view: FileView, call: ast.Call, function: Block, variable: str, given: tuple[Condition, ...]
    ) -> Candidate:
        name = variable.rpartition(".")[2]
        message = f"`{function.name}` sets `{name}` for some messages, and does not reset it for the others"
        values = [*call.args, *(one.value for one in call.keywords)]
        named = not says_which(name) and any(
            names_identity(leaf) for value in (call, *values) for leaf in _words(view, value, function)
        )
        current = _CURRENT.match(name) is not None
        read = (Grade("error", (LeftFromMessage(variable, function.symbol),)),) if not named else ()
        grades = (*read, Grade("error" if named else "warning" if current else "info"))
        return view.candidate(self.info, call, message, block=function, given=given, grades=grades)


def _is_used(view: FileView, change: Block, setter: Block) -> bool:
    """Whether the file itself sees to it that the function is run; else some other file may do so."""
    if change is setter or change.class_ is not None or change.decorators or change.parent is not view.top:
        return True
    return any(one.id == change.name for block in view.blocks for one in block.nodes(ast.Name))


def _words(view: FileView, value: ast.expr, function: Block) -> Iterator[ast.expr]:
    yield value
    for leaf, _ in leaves(view, value, function):
        yield leaf
        if isinstance(leaf, ast.Name):
            yield from (one.value for one in function.scope.bindings.get(leaf.id, ()) if one.value is not None)


def _worker(view: FileView, call: ast.Call, function: Block) -> _Worker | None:
    """The loop over messages around the call; of a task that a worker process runs, the function itself.

    Of a worker's middleware, which is told before and after each message, the class; of a signal's receiver, the file.
    """
    loop = worker_loop(view, call)
    if loop is None and any(one.dotted == _BEFORE_TASK for one in function.decorators):
        return view.module.tree
    owner = function.class_
    if loop is None and owner is not None and function.name in _BEFORE_MESSAGE:
        return owner.node if isinstance(owner.node, ast.ClassDef) else None
    entry = view.entry_point(function) if loop is None else None
    if entry is not None and entry.kind in ("task", "consumer") and isinstance(function.node, ast.FunctionDef):
        return function.node
    return loop


def _is_set_elsewhere(view: FileView, call: ast.Call, variable: str) -> bool:
    """Whether another call of the file sets the variable too, or resets it: `task_postrun` after `task_prerun`."""
    others = (one for each in view.functions for one in each.nodes(ast.Call) if one is not call)
    return any(view.dotted(one.func) in (f"{variable}.set", f"{variable}.reset") for one in others)


def _is_sometimes(view: FileView, call: ast.Call, loop: ast.AST, dotted: str) -> bool:
    """Whether a round of the loop may go by without setting it."""
    inside = takewhile(lambda one: one is not loop, view.ancestors(call))
    test = next((one for one in inside if isinstance(one, ast.If)), None)
    if test is None or _is_always(test.test, view.block_of(call)):
        return False
    calls = [one for part in (*test.body, *test.orelse) for one in ast.walk(part) if isinstance(one, ast.Call)]
    return [view.dotted(one.func) for one in calls].count(dotted) == 1


def _is_always(test: ast.expr, function: Block) -> bool:
    """Whether it only asks for an argument that each call must give: `tenant_id: str`, `tenant_id is not None`."""
    match test:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            parameter = function.parameter(name)
            return parameter is not None and parameter.default is None and isinstance(parameter.annotation, ast.Name)
    return False


def _is_partial(view: FileView, call: ast.Call, loop: ast.AST) -> bool:
    """Whether what one message binds another may leave as it was: unknown names, or only under a condition."""
    if any(one.arg is None for one in call.keywords):
        return True
    return any(
        isinstance(around, ast.If) and any(around is one for one in ast.walk(loop)) for around in view.ancestors(call)
    )
