"""A query that is made once, with the value of the first caller in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from carrel.audit.blocks import FUNCTIONS, Block
from carrel.audit.chains import chain_root
from carrel.audit.conditions import Condition, OnShared, Reachable, SharedClass, TaintedParameter
from carrel.audit.data_conditions import KeepsByKey
from carrel.audit.file_view import FileView
from carrel.audit.held import names_identity
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, parameters_in, says_whose
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo

__all__ = ["MemoisedQuery"]

_QUERY: Final = re.compile(
    r"quer(?:y|ies)|(?:^|_)(?:stmts?|statements?|select|filters?|filter_by|where|predicate|sql|criteria|clause|compile)(?:_|$)",
    re.IGNORECASE,
)
_TRACKS: Final = frozenset({"enable_tracking", "track_bound_values", "global_track_bound_values"})
"""What makes SQLAlchemy take the values of each call for a statement that it builds only once."""


class MemoisedQuery:
    """`if self._stmt is None: self._stmt = select(Note).where(Note.owner == owner)`."""

    info = RuleInfo(
        rule="memoised-query",
        code="CAR018",
        severity="error",
        title="A query that is kept has the first caller's value in it",
        why="The statement is made for the first caller, with that user's value as a constant, and then run for all.",
        fix="Make the statement for each call, or keep it with a `bindparam` and pass the value when it runs.",
        page=rule_page("memoised-query"),
        leak_classes=(18,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            if mutation.kind in ("attribute", "rebind") and not mutation.block.is_initializer:
                yield from self._lazy(view, mutation)
            elif mutation.kind == "item" and not mutation.block.is_initializer:
                yield from self._by_name(view, mutation)
        yield from self._built(view)
        if view.imports("sqlalchemy"):
            yield from self._untracked(view)

    def _lazy(self, view: FileView, mutation: Mutation) -> Iterator[Candidate]:
        """`if X is None: X = <a query with a parameter in it>`."""
        function, owner = mutation.block, mutation.block.class_
        guard = _guard(view, mutation)
        if guard is None or not all(_is_query(mutation.name, value) for value in mutation.values):
            return
        shared: tuple[Condition, ...] = ()
        if mutation.kind == "attribute":
            if owner is None or not any(one.kind == "self" and not one.steps for one in mutation.accesses):
                return
            shared = (SharedClass(owner.symbol), OnShared(function.symbol))
        for value in mutation.values:
            if isinstance(value, ast.Name | ast.Attribute):
                continue  # was made by whoever calls
            used = [name for name in parameters_in(view, value, function) if name not in guard]
            if used:
                yield self._candidate(view, mutation.node, function, value, used, shared)

    def _by_name(self, view: FileView, mutation: Mutation) -> Iterator[Candidate]:
        """`if name not in self._sql: self._sql[name] = compiled(REPORTS[name](account_id))`."""
        function, owner, key = mutation.block, mutation.block.class_, mutation.keys[-1]
        value = mutation.values[0]
        tests = (one for one in view.ancestors(mutation.node) if isinstance(one, ast.If))
        missing = f"{ast.unparse(key)} not in {ast.unparse(mutation.target)}"
        if not any(ast.unparse(one.test) == missing for one in tests) or not _is_query(mutation.name, value):
            return
        in_key = parameters_in(view, key, function)
        used = [name for name in parameters_in(view, value, function) if name not in in_key and says_whose(name)]
        for access in mutation.accesses if used else ():
            if access.kind == "self" and len(access.steps) == 1 and owner is not None:
                shared = (SharedClass(owner.symbol), OnShared(function.symbol))
                yield self._candidate(view, mutation.node, function, value, used, shared)
            elif access.kind == "global" and not access.steps:
                yield self._candidate(view, mutation.node, function, value, used, ())

    def _built(self, view: FileView) -> Iterator[Candidate]:
        """`kept("name", lambda: select(…).where(… == owner))`, where `kept` keeps what it is given."""
        for function in view.functions:
            for call in function.nodes(ast.Call):
                if not call.args or not isinstance(call.args[0], ast.Constant):
                    continue
                handed = (*((str(at), one) for at, one in enumerate(call.args)),
                          *((one.arg, one.value) for one in call.keywords if one.arg))  # fmt: skip
                for place, made in handed:
                    if isinstance(made, ast.Lambda) and _is_query(called_name(call), made.body):
                        path = view.symbol_path(view.access(call.func, function))
                        used = list(_values(view, made.body, function)) if path else []
                        if used:
                            given = (KeepsByKey(path, "0", place),)
                            yield self._candidate(view, call, function, made.body, used, given)

    def _untracked(self, view: FileView) -> Iterator[Candidate]:
        """`lambda_stmt(lambda: select(…).where(… == owner), enable_tracking=False)`, and what is added to one so."""
        for function in view.functions:
            for call in function.nodes(ast.Call):
                made = call.args[0].body if call.args and isinstance(call.args[0], ast.Lambda) else None
                if made is not None and _is_untracked(call) and (used := list(_values(view, made, function))):
                    yield self._candidate(view, call, function, made, used, ())

    def _candidate(
        self, view: FileView, node: ast.AST, function: Block, value: ast.expr, used: list[str],
        given: tuple[Condition, ...],
    ) -> Candidate:  # fmt: skip
        names = ", ".join(f"`{name}`" for name in used)
        message = f"the query is kept with the {names} of the first caller of `{function.name}`"
        passed = tuple(Grade("error", (TaintedParameter(function.symbol, name),)) for name in used)
        # The column that it is compared with says whose data it selects.
        named = (Grade("error"),) if names_identity(value) else ()
        reached = Grade("warning", (Reachable(function.symbol),))
        return view.candidate(self.info, node, message, block=function, given=given,
                              grades=(*named, *passed, reached, Grade("info")))  # fmt: skip


def _is_query(name: str, value: ast.expr) -> bool:
    calls = [one.func for one in ast.walk(value) if isinstance(one, ast.Call)]
    words = [one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in calls]
    return any(_QUERY.search(word) for word in (name, *words))


def _is_untracked(call: ast.Call) -> bool:
    said = [one.value for one in call.keywords if one.arg in _TRACKS]
    return any(isinstance(one, ast.Constant) and one.value is False for one in said)


def _guard(view: FileView, mutation: Mutation) -> set[str] | None:
    """The names in the test for "there is none yet" around the store; `None` when there is no such test."""
    for around in takewhile(lambda one: not isinstance(one, FUNCTIONS), view.ancestors(mutation.node)):
        if isinstance(around, ast.If):
            test = ast.unparse(around.test)
            if test.endswith((f"{mutation.name} is None", mutation.name)) and ("not " in test or "is None" in test):
                return {one.id for one in ast.walk(around.test) if isinstance(one, ast.Name)}
    return None


def _values(view: FileView, made: ast.expr, function: Block) -> Iterator[str]:
    """The parameters whose values are in what is made: not the session of `db.query(Note)`, which only makes it."""
    makers = {
        ast.unparse(chain_root(one.func))
        for one in ast.walk(made) if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
    }  # fmt: skip
    return (one for one in parameters_in(view, made, function) if one not in makers or says_whose(one))
