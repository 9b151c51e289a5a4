"""An error that carries more than the request that failed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.chains import chain_root
from carrel.audit.conditions import Condition, ExceptionObject, HasEntryPoints, SharedClass, SharedObject
from carrel.audit.data_conditions import Collected, Gives
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_OBJECTS
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, is_asked, is_request_name, leaves
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sharing import is_setting_name, reached
from carrel.findings import RuleInfo

__all__ = ["ErrorHoldsAnotherRequest"]

_HANDLES: Final = frozenset({"exception_handler", "errorhandler", "app_errorhandler", "exception_middleware",
                             "exception"})  # fmt: skip
_OF_REQUEST: Final = tuple(f"{one}." for one in ("builtins", *sorted(REQUEST_OBJECTS)))
_ERRORS: Final = frozenset({"exc", "exception", "error", "err", "e"})
_METHODS: Final = frozenset({"write_error", "handle_exception", "log_exception", "on_error", "process_exception"})
"""Methods that frameworks call for what went wrong."""
_SENDS: Final = frozenset({"write", "finish", "send", "render", "send_error", "json"})
_TELLS: Final = frozenset({"abort", "abort_with_status", "set_details", "send_error"})
"""Calls that end a request with an error, and say why."""
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
        written = _written(view)
        for function in view.functions:
            yield from self._shown(view, function, written)
            yield from self._noted(view, function)
            yield from self._told_all(view, function)

    def _shown(self, view: FileView, function: Block, written: dict[str, list[Mutation]]) -> Iterator[Candidate]:
        """What requests write to, in what an error is answered with."""
        for node, value in _answers(view, function):
            for call in (one for one in ast.walk(value) if isinstance(one, ast.Call)):
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
            yield from self._collected(view, node, value, function)
            for held in _answered(value, function):
                access = view.access(held, function)
                given = None if _is_keyed(view, held) else _of_all(access)
                at = written.get(access.path, []) if given is not None else []
                # What is no handler of errors answers none unless a request leads to it.
                shown = () if _handles_errors(view, function) else reached(view, function)
                grades = [Grade("error", (*shown, *one)) for one in _writers(view, at, node, function, held)]
                if given is not None and grades:
                    message = (
                        f"`{function.name}` answers an error with `{ast.unparse(held)}`, which all requests write to"
                    )
                    place = node if isinstance(node, ast.Call) else held
                    yield view.candidate(
                        self.info, place, message, block=function, given=given, grades=(*grades, Grade("info"))
                    )
                    break

    def _collected(self, view: FileView, node: ast.AST, value: ast.expr, function: Block) -> Iterator[Candidate]:
        """`trail.snapshot()` in what handles errors, with the `trail` that every request adds to."""
        if not (_handles_errors(view, function) or _in_handler(view, node)):
            return
        places = {view.path(held, function): held for held in _got(value, function)}
        for path, held in places.items():
            if path and not f"{path}.".startswith(_OF_REQUEST):
                message = (
                    f"`{function.name}` answers an error with `{ast.unparse(held)}`, what was kept of all requests"
                )
                shared = SharedObject(view.path(held.value, function))
                yield view.candidate(self.info, node, message, block=function, given=(Collected(path), shared))

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
                    of_all = (_is_all_of(one, loop.iter, function) for one in (name, *_raised(view, name, function)))
                    if name.id not in targets and any(of_all):
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
            puts = mutation.kind in ("attribute", "item") or mutation.name in _WRITES
            if mutation.block is function and puts and mutation.values:
                yield from self._changed(view, mutation.node, mutation.target, mutation.values[0], function)

    def _changed(
        self, view: FileView, node: ast.AST, target: ast.expr, value: ast.expr, function: Block
    ) -> Iterator[Candidate]:
        access = view.access(chain_root(target), function)  # of `INVALID.fields.update(form)` too
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


def _answers(view: FileView, function: Block) -> Iterator[tuple[ast.AST, ast.expr]]:
    """What errors are answered with: raised, given back by what handles them, handed to `context.abort`."""
    handles = _handles_errors(view, function)
    for statement in function.nodes(ast.Return, ast.Raise):
        value = statement.exc if isinstance(statement, ast.Raise) else statement.value
        if value is not None and (handles or isinstance(statement, ast.Raise) or _in_handler(view, statement)):
            yield statement, value
    for call in function.nodes(ast.Call):
        if called_name(call) in _TELLS or (function.name in _METHODS and called_name(call) in _SENDS):
            for one in (*call.args, *(each.value for each in call.keywords)):
                yield call, one


def _handles_errors(view: FileView, function: Block) -> bool:
    """Whether the function answers errors: by its decorator, or as it takes a request and an exception."""
    if (
        function.name in _METHODS
        or function.has_decorator(*_HANDLES)
        or any("exception_handler" in one.dotted for one in function.decorators)
    ):
        return True
    if len(function.parameters) != 2:
        return False
    request, error = function.parameters
    told = view.annotation_name(error.annotation)
    return is_request_name(request.name) and error.name in _ERRORS and bool(told)


def _of_all(access: Access) -> tuple[Condition, ...] | None:
    """What must hold for what is shown to be one for all requests; `None`: it is not."""
    if access.own_class is not None and len(access.steps) == 1:
        return (SharedClass(access.own_class.symbol),)
    if access.kind != "global" or access.steps or f"{access.name}.".startswith(_OF_REQUEST):
        return None
    return ()


def _answered(value: ast.expr, function: Block) -> Iterator[ast.expr]:
    """The names and attributes in an answer, and those in what its locals were made of."""
    for one in ast.walk(value):
        if isinstance(one, ast.Name) and function.parameter(one.id) is None:
            for made in function.scope.bindings.get(one.id, ()):
                yield from _shown_in(made.value)
    yield from _shown_in(value)


def _got(value: ast.expr, function: Block) -> Iterator[ast.Attribute]:
    """The methods and properties of objects whose values are part of an answer, or of what its locals were made of."""
    made = [value]
    for one in ast.walk(value):
        if isinstance(one, ast.Name) and function.parameter(one.id) is None:
            made += [each.value for each in function.scope.bindings.get(one.id, ()) if each.value is not None]
    for part in made:
        yield from (one for one in ast.walk(part) if isinstance(one, ast.Attribute))


def _shown_in(value: ast.expr | None) -> Iterator[ast.expr]:
    """The names and attributes in an expression, but for those that are only called."""
    called = {one.func for one in ast.walk(value) if isinstance(one, ast.Call)} if value is not None else ()
    for one in ast.walk(value) if value is not None else ():
        if isinstance(one, ast.Name | ast.Attribute) and one not in called:
            yield one


def _is_all_of(name: ast.Name, iterated: ast.expr, function: Block) -> bool:
    """Whether the name is what the loop goes over, or has a list made of it: `[text for text, _ in batch]`."""
    whole = ast.unparse(iterated)
    if name.id == whole:
        return True
    given = [one.value for one in function.scope.bindings.get(name.id, ()) if one.value is not None]
    made = [inner for one in given for inner in (one.values if isinstance(one, ast.Dict) else (one,))]
    return any(
        isinstance(one, ast.ListComp) and ast.unparse(one.generators[0].iter) == whole and not one.generators[0].ifs
        for one in made
    )


def _raised(view: FileView, name: ast.Name, function: Block) -> Iterator[ast.Name]:
    """What is told by the errors that the `try` raises whose error the name is: `raise Failed(json.dumps(payload))`."""
    for binding in function.scope.bindings.get(name.id, ()):
        tried = view.module.parent(binding.node) if binding.kind == "except" else None
        raised = [one for part in getattr(tried, "body", ()) for one in ast.walk(part) if isinstance(one, ast.Raise)]
        yield from (told for one in raised for told in _names(one.exc) if not _is_keyed(view, told))


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


def _is_keyed(view: FileView, name: ast.expr) -> bool:
    """Whether only what stands under a key is used, or only how much there is."""
    parent = view.module.parent(name)
    if isinstance(parent, ast.Subscript) and parent.value is name:
        return not isinstance(parent.slice, ast.Constant | ast.Slice | ast.UnaryOp)
    if isinstance(parent, ast.Attribute):
        return parent.attr in ("get", "keys", "pop", "setdefault")
    return (
        isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ("len", "id", "bool")
    )


def _gives_values(view: FileView, held: ast.expr) -> bool:
    """Whether all that a dictionary holds is shown, and not only under which names: `self.running.values()`."""
    parent = view.module.parent(held)
    return isinstance(parent, ast.Attribute) and parent.attr in ("values", "items")


def _written(view: FileView) -> dict[str, list[Mutation]]:
    """By path, the changes that put something there."""
    found: dict[str, list[Mutation]] = {}
    for mutation in view.mutations:
        if mutation.removes or (mutation.kind == "method" and mutation.name not in _WRITES):
            continue
        end = f".{mutation.name}" if mutation.kind == "attribute" else ""
        for access in mutation.accesses:
            # `Views.update(view_id, name=name)` calls a method of a class, and puts nothing into it.
            is_call_of_class = mutation.kind == "method" and _names_class(access.name)
            if access.path and not is_call_of_class and not is_setting_name(mutation.name):
                found.setdefault(f"{access.path}{end}", []).append(mutation)
    return found


def _names_class(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last[:1].isupper() and not last.isupper()


def _writers(
    view: FileView, written: list[Mutation], answer: ast.AST, function: Block, shown: ast.expr
) -> Iterator[tuple[Condition, ...]]:
    """What must hold for a function that puts data of a user there to serve requests, for each of them."""
    for mutation in written:
        # What an object is made with was said by whoever made it.
        if mutation.kind == "attribute" and mutation.block.is_initializer:
            continue
        # What the function itself has just put there is its own, unless others run meanwhile.
        own = mutation.kind == "attribute" and mutation.block is function
        if own and not view.suspends_between(mutation.node, answer, function):
            continue
        # What was worked out with a request is put in place of the former value: the texts of a language.
        is_one = mutation.kind in ("attribute", "rebind") and not isinstance(mutation.node, ast.AugAssign)
        made = [leaf for value in mutation.values for leaf, _ in leaves(view, value, mutation.block, direct=is_one)]
        taint = view.best_taint(mutation.values, mutation.block)
        if is_one and all(isinstance(one, ast.Call) and not is_asked(one) for one in made):
            continue
        if taint is not None and taint.by != "parameter":
            yield reached(view, mutation.block)
        elif taint is not None and mutation.kind == "item" and _gives_values(view, shown):
            yield (*taint.given, *reached(view, mutation.block))
