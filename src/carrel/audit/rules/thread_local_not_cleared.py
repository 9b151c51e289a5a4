"""A `threading.local` that keeps one user's data when its thread goes on to the next request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import Condition, NamedElsewhere, Not, Reachable
from carrel.audit.file_view import FileView
from carrel.audit.held import given_value, is_under_test, names_identity, worker_loop
from carrel.audit.mutations import Mutation
from carrel.audit.origins import leaves, parameters_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import CalledUnderTest, RunsInAsync, RunsInPool
from carrel.audit.thread_locals import clearing, thread_local_stores
from carrel.findings import RuleInfo

__all__ = ["ThreadLocalNotCleared"]

_FILES: Final = frozenset({"io.StringIO", "io.BytesIO"})


class ThreadLocalNotCleared:
    """`if request.user: _local.user = request.user`, and nothing that takes it out again."""

    info = RuleInfo(
        rule="thread-local-not-cleared",
        code="CAR011",
        severity="error",
        title="A threading.local is not cleared at the end of a request",
        why="Threads come from a pool. The next request that this thread serves, and that stores nothing itself, "
        "finds the user of the one before.",
        fix="Clear it in a `finally`, or store something at the start of every request, also when there is no user.",
        page=rule_page("thread-local-not-cleared"),
        leak_classes=(11,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for store in thread_local_stores(view):
            yield from self._written(view, store)
            clears = clearing(view, store)
            # Other files ask for the one, and none for the other.
            left: list[Condition] = [NamedElsewhere(store.block.symbol)] if clears else []
            left += [Not(NamedElsewhere(one.symbol)) for one in clears]
            if any(_is_used(view, one, store) for one in clears) or _is_own(view, store) or _is_never_read(view, store):
                continue
            taint = view.best_taint(store.values, store.block)
            if taint is None and _is_of_message(view, store):
                message = f"`{store.block.name}` stores `{store.name}` for some messages, and the thread keeps it"
                yield view.candidate(self.info, store.node, message, block=store.block)
            if taint is None or (taint.given and _is_first(view, store)):
                continue
            message = f"`{store.block.name}` stores {taint.reason} in a `threading.local`, and nothing clears it"
            # What is stored every time is at least replaced by the next request that comes this way.
            sometimes = is_under_test(view, store.node) or _is_left_before(view, store)
            left_out = Grade("error", (*taint.given, CalledUnderTest(store.block.symbol)))
            grades = (left_out, Grade("info", taint.given))
            if sometimes:
                # What one job has and the next one has not, the thread that serves both still knows.
                job = Grade("error", (RunsInPool(store.block.symbol),))
                grades = (Grade("error", taint.given), *((job,) if all(map(_is_plain, store.values)) else ()))
            yield view.candidate(
                self.info, store.node, message, block=store.block, grades=grades,
                given=(Not(RunsInAsync(store.block.symbol)), *left),
            )  # fmt: skip

    def _written(self, view: FileView, store: Mutation) -> Iterator[Candidate]:
        """`if not hasattr(local, "out"): local.out = StringIO()`, and all that was ever written is given."""
        made = [one for one in store.values if isinstance(one, ast.Call) and view.dotted(one.func) in _FILES]
        if not made or made[0].args or not is_under_test(view, store.node):
            return
        calls = [(one, where) for where in view.functions for one in where.nodes(ast.Call)]
        on = [(one.func, one, where) for one, where in calls if isinstance(one.func, ast.Attribute)]
        if any(method.attr in ("truncate", "close") for method, _, _ in on):
            return
        place = f"{ast.unparse(store.target)}.{store.name}"
        for method, given, function in on:
            if method.attr != "getvalue" or not _leads_to(view, method.value, place):
                continue
            writes = (
                one.args for other, one, where in on
                if where is function and other.attr == "write" and ast.unparse(other.value) == ast.unparse(method.value)
            )  # fmt: skip
            if any(parameters_in(view, one, function) for each in writes for one in each):
                message = f"`{function.name}` gives all that its thread has ever written, and nothing empties it"
                made_here = view.location(store.node, "made once for each thread")
                yield view.candidate(self.info, given, message, block=function, related=(made_here,),
                                     grades=(Grade("error", (Reachable(function.symbol),)), Grade("info")))  # fmt: skip
                return


def _leads_to(view: FileView, node: ast.expr, place: str) -> bool:
    """Whether it is what stands there: as it is, or by a local or a function of the file that gives it."""
    value = given_value(view, node)
    path = view.dotted(value.func) if isinstance(value, ast.Call) else ""
    getter = next((one for one in view.functions if path and one.symbol == path), None)
    values = [one.value for one in getter.nodes(ast.Return)] if getter is not None else [value]
    return any(one is not None and ast.unparse(one) == place for one in values)


def _is_of_message(view: FileView, store: Mutation) -> bool:
    """Whether a thread that goes round for messages stores what only some have: `if "user" in job: local.user = …`."""
    named = names_identity(store.values[0]) if store.values else False
    return named and is_under_test(view, store.node) and worker_loop(view, store.node) is not None


def _is_left_before(view: FileView, store: Mutation) -> bool:
    """Whether who has nothing to store leaves the function before: `if not header: return`."""
    for one in store.block.nodes(ast.If):
        match one.test:
            case ast.UnaryOp(op=ast.Not(), operand=asked):
                pass
            case ast.Compare(left=asked, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
                pass
            case _:
                continue
        if one.lineno < getattr(store.node, "lineno", 0) and isinstance(one.body[-1], ast.Return):
            made_of = (leaf for value in store.values for leaf, _ in leaves(view, value, store.block))
            if ast.unparse(asked) in map(ast.unparse, made_of):
                return True
    return False


def _is_used(view: FileView, clear: Block, store: Mutation) -> bool:
    """Whether the file itself sees to it that the function is run; else some other file may do so."""
    if clear is store.block or clear.class_ is not None or clear.decorators or clear.parent is not view.top:
        return True
    return any(one.id == clear.name for block in view.blocks for one in block.nodes(ast.Name))


def _is_never_read(view: FileView, store: Mutation) -> bool:
    """Whether nothing in the file reads what only this file has: `_caller.user`."""
    hidden = ast.unparse(store.target).rpartition(".")[2].startswith("_") and store.kind == "attribute"
    return hidden and not any(
        one.attr == store.name and isinstance(one.ctx, ast.Load) if isinstance(one, ast.Attribute)
        else one.value == store.name
        for block in view.blocks
        for one in block.nodes(ast.Attribute, ast.Constant)
    )  # fmt: skip


def _is_plain(value: ast.expr) -> bool:
    """Whether it is a part of what the function was handed, as it is: `job["coupon"]`."""
    while isinstance(value, ast.Attribute | ast.Subscript):
        value = value.value
    is_got = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "get"
    return is_got or isinstance(value, ast.Name)


def _is_own(view: FileView, store: Mutation) -> bool:
    """Whether it belongs to the thread or to the object, not to a request: it is made of nothing that is handed over.

    `local.db = connect()`; `self._local.client = Client(self.token)`.
    """
    if any(isinstance(value, ast.Call) and not value.args and not value.keywords for value in store.values):
        return True
    taint = view.best_taint(store.values, store.block)
    handed = any(parameters_in(view, value, store.block) for value in store.values)
    is_objects = all(one.own_class is not None for one in store.accesses)
    return is_objects and not handed and taint is not None and taint.by != "request"


def _is_first(view: FileView, store: Mutation) -> bool:
    """Whether it is stored only where the thread has none yet: `if getattr(local, "clients", None) is None`."""
    local = ast.unparse(store.target)
    for around in view.ancestors(store.node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        if isinstance(around, ast.If):
            return any(ast.unparse(one) == local for one, _ in leaves(view, around.test, store.block))
    return False
