"""An error that carries more than the request that failed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.conditions import (
    AnyOf,
    Condition,
    ExceptionObject,
    HasEntryPoints,
    Reachable,
    SharedClass,
    SharedObject,
)
from carrel.audit.data_conditions import Gives
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_OBJECTS
from carrel.audit.origins import called_name, is_request_name
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo

__all__ = ["ErrorHoldsAnotherRequest"]

_HANDLES: Final = frozenset({"exception_handler", "errorhandler", "app_errorhandler", "exception_middleware",
                             "exception"})  # fmt: skip
_ERRORS: Final = frozenset({"exc", "exception", "error", "err", "e"})
_WRITES: Final = frozenset({"append", "appendleft", "extend", "insert", "update"})


class ErrorHoldsAnotherRequest:
    """`{"error": str(error), "debug": list(recent)}`, and an exception that is made once and raised for everybody."""

    info = RuleInfo(
        rule="error-holds-another-request",
        code="CAR037",
        severity="error",
        title="An error shows another request",
        why="What the handler of errors adds for support was collected from all requests, and an exception object "
        "that is raised again keeps the notes and the traceback of the time before.",
        fix="Show the failed request alone, and make a new exception each time it is raised.",
        page=rule_page("error-holds-another-request"),
        leak_classes=(37,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            yield from self._shown(view, function)
            yield from self._aborted(view, function)
            yield from self._noted(view, function)
            yield from self._told_all(view, function)

    def _shown(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """A container that requests write to, in what an error is answered with."""
        handles = _handles_errors(view, function)
        for statement in function.nodes(ast.Return, ast.Raise):
            if not handles and not isinstance(statement, ast.Raise) and not _in_handler(view, statement):
                continue
            value = statement.exc if isinstance(statement, ast.Raise) else statement.value
            for call in (one for one in ast.walk(value) if isinstance(one, ast.Call)) if value is not None else ():
                path = view.path(call.func, function)
                if path and not call.args and not call.keywords:
                    message = (
                        f"`{function.name}` answers an error with `{ast.unparse(call)}`, what was kept of all requests"
                    )
                    grades = [Grade("error", (Gives(path, "collected"),))]
                    if isinstance(call.func, ast.Attribute):
                        shared = SharedObject(view.path(call.func.value, function))
                        grades.append(Grade("error", (Gives(path, "of-last-call"), shared)))
                    yield view.candidate(self.info, call, message, block=function, grades=tuple(grades))
            for name in _answered(value, function):
                access = view.access(name, function)
                if access.kind != "global" or access.steps or access.name.startswith("builtins."):
                    continue
                if any(access.name == one or access.name.startswith(f"{one}.") for one in REQUEST_OBJECTS):
                    continue
                writers = () if _is_keyed(view, name) else _writers(view, access)
                if not writers:
                    continue
                message = f"`{function.name}` answers an error with `{ast.unparse(name)}`, which all requests write to"
                yield view.candidate(self.info, name, message, block=function,
                                     grades=(Grade("error", (AnyOf(writers),)), Grade("info")))  # fmt: skip
                break

    def _aborted(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`context.abort(code, f"{list(self._inflight.values())}")`: the table of all calls, told to one caller."""
        for call in function.nodes(ast.Call):
            if called_name(call) != "abort" or len(call.args) < 2:
                continue
            for table in _listed(call.args[-1], function):
                access = view.access(table, function)
                given = _of_all(view, access)
                writers = _writers(view, access) if given is not None else ()
                if given is not None and writers:
                    message = (
                        f"`{function.name}` answers an error with `{ast.unparse(table)}`, which all requests write to"
                    )
                    yield view.candidate(self.info, call, message, block=function, given=given,
                                         grades=(Grade("error", (AnyOf(writers),)), Grade("info")))  # fmt: skip
                    break

    def _told_all(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`for _, future in batch: future.set_exception(Failed(texts))`, with the texts of the whole batch."""
        if not any(called_name(call) == "set_exception" for call in function.nodes(ast.Call)):
            return
        for loop in function.nodes(ast.For, ast.AsyncFor):
            targets = {one.id for one in ast.walk(loop.target) if isinstance(one, ast.Name)}
            for call in (one for one in ast.walk(loop) if isinstance(one, ast.Call)):
                fails = isinstance(call.func, ast.Attribute) and call.func.attr == "set_exception" and call.args
                if not fails or targets.isdisjoint(one.id for one in _names(call.func)):
                    continue
                for name in _names(call.args[0]):
                    if name.id not in targets and _is_all_of(name, loop.iter, function):
                        message = f"each who waits is told `{name.id}`, which is made of what all of them sent"
                        yield view.candidate(self.info, call, message, block=function,
                                             grades=(Grade("error", (HasEntryPoints(),)), Grade("info")))  # fmt: skip
                        break

    def _noted(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`NOT_ALLOWED.add_note(...)`: the note stays on the one object."""
        for call in function.nodes(ast.Call):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "add_note" and call.args:
                yield from self._changed(view, call, call.func.value, call.args[0], function)
        for mutation in view.mutations:
            if mutation.block is function and mutation.kind == "attribute" and mutation.values:
                yield from self._changed(view, mutation.node, mutation.target, mutation.values[0], function)

    def _changed(
        self, view: FileView, node: ast.AST, target: ast.expr, value: ast.expr, function: Block
    ) -> Iterator[Candidate]:
        access = view.access(target, function)
        if access.kind != "global" or access.steps or isinstance(value, ast.Constant):
            return
        message = (
            f"`{function.name}` writes about one request on `{access.name.rpartition('.')[2]}`, an exception made once"
        )
        taint = view.taint(value, function)
        grades = (Grade("error", taint.given), Grade("warning")) if taint is not None else (Grade("warning"),)
        yield view.candidate(
            self.info, node, message, block=function, given=(ExceptionObject(access.name),), grades=grades
        )


def _handles_errors(view: FileView, function: Block) -> bool:
    """Whether the function answers errors: by its decorator, or as it takes a request and an exception."""
    if (
        function.name == "process_exception"
        or function.has_decorator(*_HANDLES)
        or any("exception_handler" in one.dotted for one in function.decorators)
    ):
        return True
    if len(function.parameters) != 2:
        return False
    request, error = function.parameters
    told = view.annotation_name(error.annotation)
    return is_request_name(request.name) and error.name in _ERRORS and bool(told)


def _of_all(view: FileView, access: Access) -> tuple[Condition, ...] | None:
    """What must hold for the table to be one for all requests; `None`: it is not."""
    owner = access.own_class
    if owner is None or len(access.steps) != 1:
        return () if access.kind == "global" and not access.steps else None
    serves = any("_pb2_grpc." in one for one in view.base_paths(owner))
    return () if serves else (SharedClass(owner.symbol),)


def _listed(value: ast.expr, function: Block) -> Iterator[ast.expr]:
    """The tables whose contents go into a text: `table` of `list(table.values())`, also by way of a local."""
    values = [value]
    if isinstance(value, ast.Name):
        values += [one.value for one in function.scope.bindings.get(value.id, ()) if one.value is not None]
    for one in values:
        for node in ast.walk(one):
            match node:
                case ast.Call(func=ast.Attribute(value=table, attr="values" | "items"), args=[]):
                    yield table
                case ast.Call(func=ast.Name(id="str" | "repr" | "dict" | "list"), args=[ast.Attribute() as table]):
                    yield table
                case ast.FormattedValue(value=ast.Attribute() as table):
                    yield table


def _answered(value: ast.expr | None, function: Block) -> Iterator[ast.Name]:
    """The names in an answer, and those in what its locals were made of."""
    for name in _names(value):
        made = function.scope.bindings.get(name.id, ()) if function.parameter(name.id) is None else ()
        for one in made:
            yield from _names(one.value)
        yield name


def _is_all_of(name: ast.Name, iterated: ast.expr, function: Block) -> bool:
    """Whether the name is what the loop goes over, or a list made of it: `[text for text, _ in batch]`."""
    whole = ast.unparse(iterated)
    if name.id == whole:
        return True
    made = [one.value for one in function.scope.bindings.get(name.id, ()) if one.value is not None]
    return any(
        isinstance(one, ast.ListComp) and ast.unparse(one.generators[0].iter) == whole and not one.generators[0].ifs
        for one in made
    )


def _names(value: ast.expr | None) -> Iterator[ast.Name]:
    if value is not None:
        yield from (one for one in ast.walk(value) if isinstance(one, ast.Name))


def _in_handler(view: FileView, node: ast.AST) -> bool:
    for around in view.ancestors(node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        if isinstance(around, ast.ExceptHandler):
            return True
    return False


def _is_keyed(view: FileView, name: ast.Name) -> bool:
    """Whether only what stands under a key is used, or only how much there is."""
    parent = view.module.parent(name)
    if isinstance(parent, ast.Subscript) and parent.value is name:
        return not isinstance(parent.slice, ast.Constant | ast.Slice | ast.UnaryOp)
    if isinstance(parent, ast.Attribute):
        return parent.attr in ("get", "keys", "pop", "setdefault")
    return (
        isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ("len", "id", "bool")
    )


def _writers(view: FileView, access: Access) -> tuple[Condition, ...]:
    """That a function of the file that puts data of a user into it serves requests, for each such function."""
    found: list[Condition] = []
    for mutation in view.mutations:
        if mutation.removes or mutation.kind not in ("item", "augmented", "method"):
            continue
        if mutation.kind == "method" and mutation.name not in _WRITES:
            continue
        if any(one.path == access.path for one in mutation.accesses):
            taint = view.best_taint(mutation.values, mutation.block)
            if taint is not None and taint.by != "parameter":
                found.append(Reachable(mutation.block.symbol))
    return tuple(found)
