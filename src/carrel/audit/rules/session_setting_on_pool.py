"""A setting of a database session that stays on a pooled connection."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.chains import chain_names, chain_root
from carrel.audit.conditions import AnyOf, Condition, HasEntryPoints, Not, Reachable, SharedClass, TaintedParameter
from carrel.audit.file_view import FileView
from carrel.audit.held import is_under_test, text_of
from carrel.audit.origins import leaves, parameters_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sharing import reached
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["SessionSettingOnPool"]

_RUNS: Final = frozenset({"execute", "exec", "fetch", "fetchval", "fetchrow", "exec_driver_sql", "scalar", "raw"})
_SET: Final = re.compile(
    r"^\s*set\s+(?!local\b)(?:session\s+)?(?:search_path|role|authorization|@\w+|\"?[a-z_]+\.[a-z_]+\"?)\s*(?:=|\bto\b|\s)"
    r"|\bset_config\s*\([^)]*,\s*false\s*\)",
    re.IGNORECASE,
)
_OPEN: Final = re.compile(r"\{|%s|%\(|\$\d|:\w|\?")
_RESETS: Final = re.compile(
    r"\breset\s+(?:all|role|search_path|[a-z_]+\.)|\bdiscard\s+all|\bset\s+search_path\s+to\s+(?:default|public)",
    re.IGNORECASE,
)
_NOT_SERVING: Final = re.compile(r"alembic|(?:^|[\s.])(?:testing|pytest|unittest)(?:$|[\s.])")
"""What only a migration or a test suite imports."""
_POOLED: Final = re.compile(r"(?i)pool|engine|session|acquire|checkout|getconn")
_SETTINGS: Final = re.compile(r"(?i)settings|conf|cfg|options|args|env")
_OF_REQUEST: Final = ("django.db.connection", "django.db.connections")
_OWN: Final = re.compile(r"NullPool|pg_dump|alembic|psycopg2?\.connect\b|asyncpg\.connect\b")


class SessionSettingOnPool:
    """`await connection.execute(f"SET search_path TO {schema}")` on a connection that goes back to a pool."""

    info = RuleInfo(
        rule="session-setting-on-pool",
        code="CAR016",
        severity="error",
        title="A setting for one user stays on a pooled connection",
        why="`SET` lasts as long as the connection, not as long as the request. Whoever gets the connection next, and "
        "sets nothing, works in the schema or with the rights of this user.",
        fix="Use `SET LOCAL`, or `set_config(…, true)`, inside a transaction.",
        page=rule_page("session-setting-on-pool"),
        leak_classes=(16,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        if not any(True for function in view.functions for _ in _settings(function)):
            return
        text = "\n".join(text_of(one) for block in view.blocks for one in block.nodes(ast.Constant))
        imported = " ".join(binding.target[1] or "" for bindings in view.module.scope.bindings.values()
                            for binding in bindings if binding.target)  # fmt: skip
        if _RESETS.search(text) or _NOT_SERVING.search(imported):
            return
        for function in view.functions:
            for call in _settings(function):
                # A variable that every request sets anew is nobody else's: `SET @actor = %s`.
                anew = "@" in text_of(call.args[0]) and not is_under_test(view, call)
                if anew or _is_for_every_request(view, call, function):
                    continue
                if not _is_own_connection(view, function):
                    yield self._candidate(view, call, function)

    def _candidate(self, view: FileView, call: ast.Call, function: Block) -> Candidate:
        message = f"what `{function.name}` sets stays on the connection for whoever gets it next"
        used = {name for argument in call.args for name in parameters_in(view, argument, function)}
        # What is asked of the connection itself, `lists_of(connection)`, is nobody's.
        assert isinstance(call.func, ast.Attribute)
        used -= set(parameters_in(view, call.func.value, function))
        taint = view.best_taint(tuple(call.args), function)
        has = {name for argument in call.args for name in _attributes(view, argument, function)}
        told = (taint is not None and taint.by == "request") or any(_tells(name) for name in used | has)
        passed: tuple[Condition, ...] = tuple(TaintedParameter(function.symbol, name) for name in sorted(used))
        # A schema may be the installation's: what no request is seen to lead to sets it once.
        served = tuple(AnyOf((one, *passed, Not(HasEntryPoints()))) for one in reached(view, function))
        pooled = _pooled(view, call, function)
        grades = [Grade("error", (*served, *pooled))] if told else [Grade("error", (one, *pooled)) for one in passed]
        # What comes from the object alone is the same for all who use the object.
        led_to = (Grade("warning", (Reachable(function.symbol), *pooled)),) if used else ()
        return view.candidate(
            self.info, call, message, block=function,
            grades=(*grades, *led_to, Grade("info")),
        )  # fmt: skip


def _settings(function: Block) -> Iterator[ast.Call]:
    for call in function.nodes(ast.Call):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in _RUNS and call.args:
            text = text_of(call.args[0])
            if _SET.search(text) and _OPEN.search(text):
                yield call


def _attributes(view: FileView, value: ast.expr, function: Block) -> Iterator[str]:
    """What the value takes from parameters: `schema` of `staff.schema`, but nothing of `settings.schema`."""
    for leaf, where in leaves(view, value, function):
        root = chain_root(leaf)
        name = root.id if where is function and isinstance(root, ast.Name) else ""
        if name != function.receiver and function.parameter(name) and _SETTINGS.search(name) is None:
            yield from chain_names(leaf)[1:]


def _tells(name: str) -> bool:
    return is_identity_like(name) or any(word in name for word in ("schema", "tenant", "role"))


def _pooled(view: FileView, call: ast.Call, function: Block) -> tuple[Condition, ...]:
    """What must hold elsewhere for others to get the connection: it is an object's own unless it comes from a pool."""
    assert isinstance(call.func, ast.Attribute)
    access = view.access(call.func.value, function)
    if access.own_class is None or any(_POOLED.search(step) for step in access.steps):
        return ()
    return (SharedClass(access.own_class.symbol),)


def _is_for_every_request(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether a middleware of Django sets it anew, whoever asks, on the one connection that the request works with."""
    entry = view.entry_point(function)
    if entry is None or entry.kind != "middleware" or function.class_ is None or is_under_test(view, call):
        return False
    tried = any(isinstance(one, ast.Try) and one.handlers for one in view.ancestors(call))
    assert isinstance(call.func, ast.Attribute)
    access = view.access(call.func.value, function)
    if tried or not any(f"{access.name}.".startswith(f"{one}.") for one in _OF_REQUEST):
        return False
    return not any(one.lineno < call.lineno for one in function.nodes(ast.Return))


def _is_own_connection(view: FileView, function: Block) -> bool:
    """Whether the function makes the connection, and nobody else gets it."""
    return any(_OWN.search(view.dotted(call.func) or "") for call in function.nodes(ast.Call))
