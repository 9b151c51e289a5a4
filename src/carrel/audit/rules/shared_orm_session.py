"""One ORM session that more than one request uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import Not, Reachable, SharedClass
from carrel.audit.file_view import FileView
from carrel.audit.held import Held, held_calls
from carrel.audit.keeping import is_application_part
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import UsedBy
from carrel.findings import RuleInfo
from carrel.source import Binding

__all__ = ["SharedOrmSession"]

_SESSIONS: Final = frozenset(
    {f"{module}.{name}"
     for module in ("sqlalchemy.orm", "sqlalchemy.ext.asyncio", "sqlalchemy.orm.session", "sqlmodel",
                    "sqlmodel.ext.asyncio.session", "sqlalchemy.ext.asyncio.session")
     for name in ("Session", "AsyncSession")}
)  # fmt: skip
_MAKERS: Final = frozenset(
    {"sqlalchemy.orm.sessionmaker", "sqlalchemy.ext.asyncio.async_sessionmaker", "sqlalchemy.orm.session.sessionmaker"}
)
_SERVES: Final = re.compile(r"^(?:add_\w+_to_server|serve_forever|wait_for_termination|run_app|run_forever|serve)$")
"""Calls of the function that makes what the server works with, which lasts as long as the server."""
_NAMED: Final = re.compile(
    r"^(?:Async)?Session(?:Local|Maker|Factory)$|^(?:async_)?session_(?:maker|factory|local)$|^async_session$"
)
"""What makes sessions is called so, wherever it is from."""
_SCOPED: Final = frozenset(
    {"sqlalchemy.orm.scoped_session", "sqlalchemy.ext.asyncio.async_scoped_session",
     "sqlalchemy.ext.asyncio.scoping.async_scoped_session"}
)  # fmt: skip
_THREADS: Final = frozenset(
    {"threading.get_ident", "threading.current_thread", "threading.get_native_id", "_thread.get_ident"}
)
"""Functions that say the same for all coroutines of a loop."""


class SharedOrmSession:
    """`session = SessionLocal()` in a module; `scoped_session(…)` by thread in async code."""

    info = RuleInfo(
        rule="shared-orm-session",
        code="CAR017",
        severity="error",
        title="Requests share one ORM session",
        why="A session holds one transaction and one identity map. One request commits or rolls back what another has "
        "begun, and reads objects that the other has loaded or changed.",
        fix="Open a session for each request: `with SessionLocal() as session:`, or a dependency that yields one. "
        "In async code give `scoped_session` a `scopefunc` such as `asyncio.current_task`.",
        page=rule_page("shared-orm-session"),
        leak_classes=(17,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        makers = {held.symbol for held in held_calls(view, _MAKERS)}
        makers |= {one.symbol for one in view.functions if _opens(view, one, makers)}
        for held in held_calls(view):
            if _holds_session(view, held.call, held.block, makers):
                yield self._module(view, held, is_session=_makes_session(view, held.call, makers))
            elif view.dotted(held.call.func) in _SCOPED and _is_by_thread(view, held.call):
                yield self._scoped(view, held)
        for mutation in view.mutations:
            yield from self._kept(view, mutation, makers)
        for function in view.functions:
            if view.is_cached(function) and not function.parameters:
                yield from self._cached(view, function, makers)
            if any(_SERVES.match(called_name(call)) for call in function.nodes(ast.Call)):
                yield from self._served(view, function, makers)

    def _kept(self, view: FileView, mutation: Mutation, makers: set[str]) -> Iterator[Candidate]:
        """`self.session = Session()` of an object that all requests use, `app["db"] = AsyncSession(engine)`."""
        owner = mutation.block.class_
        for value in mutation.values:
            if not _holds_session(view, value, mutation.block, makers):
                continue
            if is_application_part(mutation):
                message = "the application holds one session for all its requests"
                yield view.candidate(self.info, mutation.node, message, block=mutation.block)
            elif mutation.kind == "attribute" and owner is not None and mutation.block.is_initializer:
                message = f"`self.{mutation.name}` is one session for every request that uses this object"
                yield view.candidate(self.info, mutation.node, message, block=mutation.block,
                                     given=(SharedClass(owner.symbol),))  # fmt: skip

    def _served(self, view: FileView, function: Block, makers: set[str]) -> Iterator[Candidate]:
        """`add_WalletServicer_to_server(Wallet(Session(engine)), server)`, where the server is started."""
        for call in function.nodes(ast.Call):
            owner = view.path(call.func, function)
            if owner and not _makes_session(view, call, makers) and _holds_session(view, call, function, makers):
                message = f"`{called_name(call)}` works with one session for all requests"
                given = (SharedClass(owner), Not(Reachable(function.symbol)))
                yield view.candidate(self.info, call, message, block=function, given=given)

    def _module(self, view: FileView, held: Held, *, is_session: bool) -> Candidate:
        name = held.symbol.rpartition(".")[2]
        grades = [Grade("error", (UsedBy(held.symbol, "request"),)), Grade("error", (UsedBy(held.symbol, "async"),))]
        if is_session:
            grades.append(Grade("warning", (UsedBy(held.symbol, "function"),)))
        message = f"`{name}` {'is' if is_session else 'works with'} one session for all requests"
        return view.candidate(self.info, held.node, message, grades=tuple(grades))

    def _scoped(self, view: FileView, held: Held) -> Candidate:
        name = held.symbol.rpartition(".")[2]
        message = f"`{name}` keeps a session for each thread, and all coroutines run in one"
        waits = UsedBy(held.symbol, "waiting")
        return view.candidate(self.info, held.node, message, grades=(Grade("error", (waits,)),))

    def _cached(self, view: FileView, function: Block, makers: set[str]) -> Iterator[Candidate]:
        for statement in function.nodes(ast.Return):
            if isinstance(statement.value, ast.Call) and _makes_session(view, statement.value, makers):
                message = f"`{function.name}` gives every caller the same session"
                yield view.candidate(self.info, statement, message, block=function)


def _opens(view: FileView, function: Block, makers: set[str]) -> bool:
    """Whether the function gives whoever calls it a session of theirs: `return Session(engine)`."""
    values = [one.value for one in function.nodes(ast.Return)]
    own = function.class_ is None and not function.decorators
    return own and any(isinstance(one, ast.Call) and _makes_session(view, one, makers) for one in values)


def _holds_session(view: FileView, value: ast.expr, block: Block, makers: set[str]) -> bool:
    """Whether it is a session, or an object that is made with one and so keeps it: `Orders(SessionLocal())`."""
    match value:
        case ast.Call():
            if _makes_session(view, value, makers):
                return True
            given = (*value.args, *(one.value for one in value.keywords))
            return called_name(value)[:1].isupper() and any(_holds_session(view, one, block, makers) for one in given)
        case ast.Name():
            bound = block.scope.bindings.get(value.id) or view.top.scope.bindings.get(value.id) or ()
            made = (_opened(view, one) or one.value for one in bound)
            return any(isinstance(one, ast.Call) and _makes_session(view, one, makers) for one in made)
    return False


def _is_by_thread(view: FileView, call: ast.Call) -> bool:
    """Whether a scoped session is one for each thread: nothing else says whose it is."""
    scopes = [*call.args[1:], *(one.value for one in call.keywords if one.arg != "session_factory")]
    return all(view.dotted(one) in _THREADS for one in scopes)


def _opened(view: FileView, binding: Binding) -> ast.expr | None:
    """What `with Session(engine) as session:` binds the name to."""
    around = view.module.parent(binding.node) if binding.node is not None else None
    return around.context_expr if isinstance(around, ast.withitem) else None


def _makes_session(view: FileView, call: ast.Call, makers: set[str]) -> bool:
    dotted = view.dotted(call.func)
    if dotted in _SESSIONS or dotted in makers:
        return True
    if isinstance(call.func, ast.Call):  # `sessionmaker(engine)()`
        return view.dotted(call.func.func) in _MAKERS
    bound = view.block_of(call).scope.bindings.get(call.func.id, ()) if isinstance(call.func, ast.Name) else ()
    made = any(isinstance(one.value, ast.Call) and view.dotted(one.value.func) in _MAKERS for one in bound)
    return made or _NAMED.search(dotted.rpartition(".")[2]) is not None
