"""How sure it is that what all requests share holds one user's data, and so how severe that is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import AnyOf, Condition, HasEntryPoints, Not, Reachable, TaintedParameter
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_TYPES
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, is_request_name, parameters_in, says_whose
from carrel.audit.places import is_start_up
from carrel.audit.rule import Grade
from carrel.audit.taint import Taint

__all__ = [
    "brought",
    "grades_of",
    "is_before_requests",
    "is_configuration_name",
    "is_done_once",
    "is_guarded",
    "is_setting_name",
    "makes_work",
    "reached",
    "where",
]

_LOCK: Final = re.compile(r"(?i)(?:lock|mutex|semaphore)(?:\(\))?$")
_DEFINING: Final = frozenset({"__init_subclass__", "__set_name__", "__prepare__"})
_SETTING: Final = re.compile(
    r"(?:^|_)(?:level|mode|prefix|suffix|steps?|rate|limit|threshold|interval|timeout|verbose|debug|enabled|size|count|"
    r"version|format|width|height|dim(?:ension)?|host|port|seed|device|dtype|user_agent)(?:_left|s)?$"
)
_ADDRESS: Final = re.compile(r"(?:^|_)(?:url|uri|path|route|name|lang|locale)$")
_CONFIGURATION: Final = re.compile(
    r"(?i)(?:^|_)(?:settings|config|configuration|conf|cfg|preferences|params|options|opts|args)$"
)
_WORK: Final = frozenset({"create_task", "ensure_future", "Thread", "Timer", "submit", "start_soon"})


def reached(view: FileView, function: Block) -> tuple[Condition, ...]:
    """What must hold elsewhere for a request to get to the function; nothing when it is handed the request itself."""
    handed = any(
        is_request_name(one.name) or view.annotation_name(one.annotation) in REQUEST_TYPES
        for one in function.parameters
    )
    return () if handed else (Reachable(function.symbol),)


def brought(view: FileView, values: Iterable[ast.expr], block: Block) -> Taint | None:
    """The surest reason why the current request, or an argument of one user's, is part of the values.

    What the object already had (`self.token`) is no reason: it was stored elsewhere. An argument whose name says
    little (`user_port`) is one user's when some call passes such data for it; of several such, any of them may be.
    """
    found: list[Taint] = []
    for value in values:
        given = view.taint(value, block)
        if given is not None and given.by == "request":
            found.append(given)
        for name in parameters_in(view, value, block):
            one = view.parameter_taint(block, name)
            if one is not None and one.by == "name" and not says_whose(name):
                one = Taint("parameter", one.reason, (TaintedParameter(block.symbol, name),), name)
            if one is not None:
                found.append(one)
    order = ("request", "name", "parameter")

    def surest(one: Taint) -> tuple[int, bool]:
        return order.index(one.by), is_setting_name(one.parameter) or _ADDRESS.search(one.parameter) is not None

    best = min(found, key=surest, default=None)
    if best is None or best.by != "parameter":
        return best
    conditions = dict.fromkeys(each for one in found if surest(one) == surest(best) for each in one.given)
    return replace(best, given=(AnyOf(tuple(conditions)),)) if len(conditions) > 1 else best


def is_before_requests(view: FileView, function: Block) -> bool:
    """Whether the function runs before there are requests: from a command line, or while a class is defined."""
    owner = function.class_
    defines = function.name in _DEFINING or (
        owner is not None and "type" in view.base_names(owner) and function.is_initializer
    )
    return defines or is_start_up(view.module.path)


def grades_of(view: FileView, taint: Taint, block: Block) -> tuple[Grade, ...]:
    """How severe it is that all requests share what the taint is about.

    An error where a request gets there with one user's data, passed by a caller when only the name says so. Where
    there are no entry points to start from, a warning when the name says whose data it is and some call passes it.
    """
    if is_before_requests(view, block):
        return (Grade("info"),)
    if taint.by == "request":
        return Grade("error", reached(view, block)), Grade("warning", (Not(HasEntryPoints()),)), Grade("info")
    passed = taint.given or ((TaintedParameter(block.symbol, taint.parameter),) if taint.parameter else ())
    sure = Grade("error", (*passed, *reached(view, block)))
    if taint.given or not passed:
        return sure, Grade("info")
    return sure, Grade("warning", (Not(HasEntryPoints()), *passed)), Grade("info")


def where(grades: Iterable[Grade], conditions: tuple[Condition, ...]) -> tuple[Grade, ...]:
    """The grades, of which an error or a warning is a mention where the conditions do not hold."""
    found = tuple(grades)
    sure = (Grade(one.severity, (*one.given, *conditions)) for one in found if one.severity != "info")
    return (*sure, *(Grade("info", one.given) for one in found))


def is_setting_name(name: str) -> bool:
    """Whether settings of a process are called so, which one caller makes for all on purpose."""
    return _SETTING.search(name) is not None


def is_configuration_name(name: str) -> bool:
    """Whether what holds settings is called so: who changes it changes it for all, and is asked whether they may."""
    return _CONFIGURATION.search(name) is not None


def is_guarded(view: FileView, mutation: Mutation) -> bool:
    """Whether the code sees to it that one at a time has the place: a lock is held, or the former value is put back."""
    for around in view.ancestors(mutation.node):
        if isinstance(around, ast.With | ast.AsyncWith):
            if any(_LOCK.search(ast.unparse(item.context_expr)) for item in around.items):
                return True
        elif isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            break
    place = f"{ast.unparse(mutation.target)}.{mutation.name}"
    kept = (ast.unparse(mutation.target), mutation.name)
    former = {
        target.id
        for assign in mutation.block.nodes(ast.Assign)
        for target in assign.targets
        if isinstance(target, ast.Name) and (ast.unparse(assign.value) == place or _got(assign.value) == kept)
    }
    return any(
        isinstance(assign.value, ast.Name) and assign.value.id in former
        and any(ast.unparse(target) == place for target in assign.targets)
        for assign in mutation.block.nodes(ast.Assign)
    )  # fmt: skip


def is_done_once(mutation: Mutation) -> bool:
    """Whether a state sees to it that the function does its work once: `if self.state != "new": raise …`, and then
    `self.state = "ready"`."""
    asked = {
        ast.unparse(one.test.left)
        for one in mutation.block.nodes(ast.If)
        if isinstance(one.test, ast.Compare) and isinstance(one.test.ops[0], ast.NotEq | ast.IsNot)
        and isinstance(one.test.comparators[0], ast.Constant | ast.Attribute) and isinstance(one.body[-1], ast.Raise)
    }  # fmt: skip
    targets = (target for one in mutation.block.nodes(ast.Assign) for target in one.targets)
    return any(isinstance(one, ast.Attribute) and ast.unparse(one) in asked for one in targets)


def _got(value: ast.expr) -> tuple[str, str] | None:
    """The object and the name of `getattr(self, "user", None)`."""
    match value:
        case ast.Call(func=ast.Name(id="getattr"), args=[target, ast.Constant(value=str(name)), *_]):
            return ast.unparse(target), name
    return None


def makes_work(value: ast.expr, block: Block) -> bool:
    """Whether the value is a task or thread: kept so that it lives, not to be read."""
    values = [value]
    if isinstance(value, ast.Name) and block.function is not None:
        values += [one.value for one in block.function.scope.bindings.get(value.id, ()) if one.value is not None]
    return any(isinstance(one, ast.Call) and called_name(one) in _WORK for one in values)
