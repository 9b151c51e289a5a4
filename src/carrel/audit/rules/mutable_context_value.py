"""A context variable whose one value is changed in place by everybody."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from carrel.audit.access import Access
from carrel.audit.conditions import ChangesObject
from carrel.audit.context_values import VARIABLE, shared_value
from carrel.audit.file_view import FileView
from carrel.audit.held import Held, held_calls
from carrel.audit.mutations import Mutation
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import SetBeforeRequests
from carrel.audit.sharing import reached
from carrel.findings import RuleInfo

__all__ = ["MutableContextValue"]


class MutableContextValue:
    """`ContextVar("fields", default={})`, and then `fields.get().update(…)`."""

    info = RuleInfo(
        rule="mutable-context-value",
        code="CAR013",
        severity="error",
        title="The value of a ContextVar is one object for all contexts",
        why="A context copies the reference, not the object. A default, and what is set while the module is imported, "
        "is the same object in every request, and who changes it changes it for all.",
        fix="Set a new object in each request: `fields.set({**fields.get({}), …})`; no mutable default.",
        page=rule_page("mutable-context-value"),
        leak_classes=(13,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        here: set[str] = set()
        for held in held_calls(view, (VARIABLE,)):
            shared = shared_value(view, held)
            if shared is None:
                continue
            paths = _getters(view, held.symbol, is_default=any(one.value is shared for one in held.call.keywords))
            here |= paths
            changes = {
                mutation.node: mutation
                for mutation in reversed(view.mutations)
                if not mutation.removes and any(one.path in paths for one in mutation.accesses)
            }
            for change in changes.values():
                yield self._changed(view, held, shared, change)
            yield from self._called(view, held, shared, paths)
            if not changes and view.value_kind(shared) == "container":
                message = f"the value of `{_name(held)}` is one object for all contexts"
                yield view.candidate(self.info, shared, message, severity="info")
        for mutation in view.mutations:
            access = next((one for one in mutation.accesses if one.kind == "global" and one.steps[:1] == ("()",)), None)
            is_change = mutation.kind in ("attribute", "item", "method") and not mutation.removes
            if access is not None and is_change and not any(access.path.startswith(one) for one in here):
                yield from self._installed(view, mutation, access)

    def _installed(self, view: FileView, change: Mutation, access: Access) -> Iterator[Candidate]:
        """`scope().actor = user`, where `scope()` gives what was put into the variable before there were requests."""
        taint = view.best_taint(change.values, change.block)
        if taint is None:
            return
        getter = access.name if access.name.endswith(".get") else f"{access.name}()"
        given_by = ast.unparse(change.target)
        message = f"`{change.block.name}` changes what `{given_by}` gives, which is one object for all contexts"
        given = (*taint.given, SetBeforeRequests(getter), *reached(view, change.block))
        yield view.candidate(self.info, change.node, message, block=change.block, grades=(Grade("error", given),))

    def _called(self, view: FileView, held: Held, shared: ast.expr, paths: set[str]) -> Iterator[Candidate]:
        """`trace.get().note(text)`, where `note` adds to what the object holds."""
        owner = view.path(shared, view.top)
        for function in view.functions:
            for call in function.nodes(ast.Call):
                if not isinstance(call.func, ast.Attribute) or view.path(call.func.value, function) not in paths:
                    continue
                taint = view.best_taint((*call.args, *(one.value for one in call.keywords)), function)
                if owner and taint is not None:
                    message = f"`{function.name}` changes the value of `{_name(held)}`, which is one for all contexts"
                    given = (*taint.given, SetBeforeRequests(f"{held.symbol}.get"), *reached(view, function))
                    changes = ChangesObject(f"{owner}.{call.func.attr}")
                    yield view.candidate(self.info, call, message, block=function,
                                         grades=(Grade("error", (changes, *given)),))  # fmt: skip

    def _changed(self, view: FileView, held: Held, shared: ast.expr, change: Mutation) -> Candidate:
        message = f"`{change.block.name}` changes the value of `{_name(held)}`, which is one object for all contexts"
        taint = view.best_taint(change.values, change.block)
        sure = (Grade("error", taint.given),) if taint is not None else ()
        return view.candidate(
            self.info, change.node, message, block=change.block, grades=(*sure, Grade("warning")),
            related=(view.location(shared, "made once"),),
        )  # fmt: skip


def _name(held: Held) -> str:
    return held.symbol.rpartition(".")[2]


def _getters(view: FileView, symbol: str, *, is_default: bool) -> set[str]:
    """The paths that give the variable's value: its own `get`, and functions of this file that return that.

    `get({})` never gives the variable's default.
    """
    paths = {f"{symbol}.get()"} if is_default else {f"{symbol}.get()", f"{symbol}[]"}
    for function in view.functions:
        for statement in function.nodes(ast.Return):
            if statement.value is not None and view.path(statement.value, function) in paths:
                paths.add(f"{function.symbol}()")
    return paths
