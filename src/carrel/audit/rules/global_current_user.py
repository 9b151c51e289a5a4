"""A name of a module that is bound to one user's data while a request is served."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.conditions import (
    AnyOf,
    Condition,
    ForEachThread,
    HasBase,
    HasEntryPoints,
    IdentityParameter,
    MutableGlobal,
    NamedElsewhere,
    Not,
    SharedObject,
    TaintedParameter,
)
from carrel.audit.data_conditions import ReadAgain
from carrel.audit.file_view import FileView
from carrel.audit.locked import readers_under_lock
from carrel.audit.mutations import Mutation
from carrel.audit.origins import identities, is_credential, is_request_name
from carrel.audit.places import is_test_plumbing
from carrel.audit.reads import readers_again
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import RunsInAsync
from carrel.audit.sharing import is_before_requests, is_done_once, reached, where
from carrel.audit.taint import Taint, is_identity_like
from carrel.findings import RuleInfo

__all__ = ["GlobalCurrentUser"]

_WHO: Final = re.compile(r"(?:^|_)(?:caller|viewer|requester|whoami)$|^_?current_(?:customer|client|buyer|student)$")
"""Names that say for whom a request is served, in words that mean nothing elsewhere."""


class GlobalCurrentUser:
    """`global current_user`, bound anew by each request, or `runtime.USER = user`."""

    info = RuleInfo(
        rule="global-current-user",
        code="CAR002",
        severity="error",
        title="A global name holds the current user's data",
        why="A module has one value for a name. While this request waits, another one binds the name anew, and this "
        "one goes on as the other user.",
        fix="Pass the value on as an argument, keep it on the request, or use a `ContextVar` that is reset.",
        page=rule_page("global-current-user"),
        leak_classes=(2,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        if is_test_plumbing(view.module.path):
            return
        for mutation in view.mutations:
            bound = _bound(mutation)
            if bound is None or _is_made_once(view, mutation) or _is_filled(view, mutation) or _is_registry(mutation):
                continue
            readers = readers_under_lock(view, mutation)
            if readers is not None:
                # Who reads it in another file holds no lock.
                names = (f"{view.top.symbol}.{mutation.name}", *(one.symbol for one in readers))
                bound = (bound[0], (*bound[1], AnyOf(tuple(NamedElsewhere(one) for one in names))))
            taint = view.best_taint(mutation.values, mutation.block)
            if taint is not None and taint.by != "parameter":
                yield self._candidate(view, mutation, taint, *bound)
            elif taint is not None and isinstance(mutation.values[0], ast.Name) and _is_read(view, mutation):
                yield self._setter(view, mutation, taint.parameter, *bound)

    def _setter(
        self, view: FileView, mutation: Mutation, parameter: str, name: str, given: tuple[Condition, ...]
    ) -> Candidate:
        """`use_clinic(claims["clinic"])`: who calls knows what the parameter's name does not say."""
        told = IdentityParameter(mutation.block.symbol, parameter)
        message = (
            f"`{mutation.block.name}` binds `{name}`, one name for all requests, to `{parameter}`, which says who asks"
        )
        return view.candidate(
            self.info, mutation.node, message, block=mutation.block, given=given,
            grades=where((Grade("error", (told, *reached(view, mutation.block))),), _is_found_again(view, mutation)),
        )  # fmt: skip

    def _candidate(
        self, view: FileView, mutation: Mutation, taint: Taint, name: str, given: tuple[Condition, ...]
    ) -> Candidate:
        told = [text for value in mutation.values for text in identities(view, value, mutation.block)]
        reason = f"`{told[0]}`" if told else "what one request brings"
        message = f"`{mutation.block.name}` binds `{name}`, one name for all requests, to {reason}"
        served = reached(view, mutation.block)
        is_named = bool(told) or is_identity_like(mutation.name) or _WHO.search(mutation.name) is not None
        grades: tuple[Grade, ...] = (Grade("info", () if is_named else served),)
        if told and not all(is_credential(text) for text in told):
            is_passed = taint.parameter and not is_request_name(taint.parameter)
            passed = (TaintedParameter(mutation.block.symbol, taint.parameter),) if is_passed else ()
            grades = (Grade("error", (*passed, *served)), Grade("info"))
            if passed or taint.by == "request":
                grades = (grades[0], Grade("warning", (Not(HasEntryPoints()), *passed)), Grade("info"))
        elif is_named and taint.by == "request":
            # A token that only its name makes one user's may be the application's own.
            grades = (Grade("warning", served), Grade("info"))
        if is_before_requests(view, mutation.block) or is_done_once(mutation):
            grades = (Grade("info"),)
        grades = where(grades, _is_found_again(view, mutation))
        return view.candidate(self.info, mutation.node, message, block=mutation.block, given=given, grades=grades)


def _bound(mutation: Mutation) -> tuple[str, tuple[Condition, ...]] | None:
    """The global name that is bound, with what must hold elsewhere for it to be one."""
    if mutation.kind == "rebind" and mutation.name in mutation.block.scope.globals:
        return mutation.name, ()
    if mutation.kind != "attribute" or isinstance(mutation.node, ast.AugAssign):
        return None
    within = f"{(mutation.block.function or mutation.block).symbol}."
    for access in mutation.accesses:
        if access.name.startswith(within):
            continue  # each call makes a class of its own
        if access.kind == "class" and not access.steps and access.block is not None:
            return f"{access.block.name}.{mutation.name}", ()
        if access.kind == "global" and not access.steps and not access.name.startswith("builtins."):
            # Of an object there is another rule; of a module or a class nothing else says that all share it.
            given = (MutableGlobal(access.name), Not(SharedObject(access.name)))
            # One thread serves all requests of a loop, and each of a pool serves one at a time.
            apart = AnyOf((Not(ForEachThread(access.name)), RunsInAsync(mutation.block.symbol)))
            return f"{access.name.rpartition('.')[2]}.{mutation.name}", (*given, apart)
    return None


def _is_found_again(view: FileView, mutation: Mutation) -> tuple[Condition, ...]:
    """What must hold for somebody else to have what the name is bound to."""
    if mutation.kind == "rebind":
        place, again = view.top.symbol, readers_again(view, mutation)
        named = NamedElsewhere(f"{place}.{mutation.name}")
        return (AnyOf((ReadAgain(place, mutation.name, mutation.block.symbol, again), named)),)
    for access in mutation.accesses:
        if access.kind in ("class", "global"):
            own = access.block is not None and access.block is mutation.block.class_
            place = access.block.symbol if access.kind == "class" and access.block is not None else access.name
            again = readers_again(view, mutation) if own else ()
            # Each object of a model has values of its own, whatever somebody sets on the class.
            apart = () if own else (Not(HasBase(place, ("BaseModel",))),)
            return (*apart, ReadAgain(place, mutation.name, mutation.block.symbol, again))
    return ()


def _is_read(view: FileView, mutation: Mutation) -> bool:
    """Whether somebody has what the name is bound to: another function of the file, this one after it has waited.

    Who reads the attribute of a module may be in any file.
    """
    block = mutation.block
    if mutation.kind == "attribute":
        return any(one.kind == "global" for one in mutation.accesses)
    read = (one for one in block.nodes(ast.Name) if one.id == mutation.name and isinstance(one.ctx, ast.Load))
    if any(view.suspends_between(mutation.node, one, block) for one in read):
        return True
    return mutation.kind == "rebind" and any(
        name.id == mutation.name and isinstance(name.ctx, ast.Load)
        for function in view.functions
        if function is not mutation.block and mutation.name not in function.scope.bindings
        for name in function.nodes(ast.Name)
    )


def _is_filled(view: FileView, mutation: Mutation) -> bool:
    """Whether it is a container that gets one more entry (`HISTORY += [text]`), which is another rule's."""
    return isinstance(mutation.node, ast.AugAssign) and any(
        view.mutable_global(access) == () for access in mutation.accesses
    )


def _is_registry(mutation: Mutation) -> bool:
    """Whether a set is replaced by one with an element more or less, `_open |= {session_id}`, or a container by itself
    without some of its entries."""
    match mutation.node:
        case ast.Assign(value=ast.ListComp() | ast.SetComp() | ast.DictComp() as left):
            kept = left.generators[0]
            return bool(kept.ifs) and any(
                isinstance(one, ast.Name) and one.id == mutation.name for one in ast.walk(kept.iter)
            )
        case ast.AugAssign(op=op, value=element):
            pass
        case ast.Assign(value=ast.BinOp(left=ast.Name(id=name), op=op, right=element)) if name == mutation.name:
            pass
        case _:
            return False
    return isinstance(op, ast.BitOr | ast.Sub) and isinstance(element, ast.Set)


def _is_made_once(view: FileView, mutation: Mutation) -> bool:
    """Whether it is only bound when there is nothing yet: the first caller's, which is another rule's."""
    for around in view.ancestors(mutation.node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        if isinstance(around, ast.If) and mutation.name in _names(around.test):
            return True
    return False


def _names(node: ast.expr) -> set[str]:
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
