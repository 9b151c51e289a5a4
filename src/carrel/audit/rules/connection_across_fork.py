"""A connection that a process made before it forked, and that both processes use."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import AnyOf, Condition, NamedElsewhere, Not
from carrel.audit.file_view import FileView
from carrel.audit.held import Held, held_calls
from carrel.audit.origins import called_name
from carrel.audit.reading import forked_paths, starts_afresh
from carrel.audit.rule import Candidate, rule_page
from carrel.audit.run_conditions import Disposed, ForkedWith, Preloaded, UsedBy
from carrel.audit.through import called_here
from carrel.findings import RuleInfo

__all__ = ["ConnectionAcrossFork"]

_CONNECTS: Final = frozenset(
    {"psycopg2.connect", "psycopg.connect", "psycopg.Connection.connect", "pymysql.connect", "MySQLdb.connect",
     "mysql.connector.connect", "mariadb.connect", "pymssql.connect", "snowflake.connector.connect",
     "sqlite3.connect", "pyodbc.connect", "cx_Oracle.connect", "oracledb.connect",
     "socket.create_connection", "pika.BlockingConnection", "grpc.insecure_channel", "grpc.secure_channel",
     "ldap3.Connection", "smtplib.SMTP", "imaplib.IMAP4_SSL", "http.client.HTTPConnection",
     "http.client.HTTPSConnection", "paramiko.SSHClient", "kazoo.client.KazooClient", "ssl.wrap_socket"}
)  # fmt: skip
"""Functions that connect at once. Clients that connect when first used, and notice a fork, are none of them."""
_POOLS: Final = frozenset({"sqlalchemy.create_engine", "sqlalchemy.engine.create_engine", "sqlmodel.create_engine",
                           "psycopg2.pool.SimpleConnectionPool", "psycopg2.pool.ThreadedConnectionPool"})  # fmt: skip
"""Pools, which hold connections from their first use on."""
_ONE_ON_DEMAND: Final = frozenset({"redis.Redis", "redis.StrictRedis", "redis.from_url", "redis.Redis.from_url",
                                    "valkey.Valkey"})  # fmt: skip
"""Pools that give out one connection for good when they are asked for a client."""
_SINGLE: Final = "single_connection_client=True"


class ConnectionAcrossFork:
    """`connection = psycopg2.connect(…)` in a module, and `os.fork()`."""

    info = RuleInfo(
        rule="connection-across-fork",
        code="CAR019",
        severity="error",
        title="Processes share one connection after a fork",
        why="After a fork both processes have the same socket. The answer to one process's question is read by the "
        "other, which takes it for the answer to its own.",
        fix="Connect in the child: in the worker's start hook, or in a getter whose key is `os.getpid()`.",
        page=rule_page("connection-across-fork"),
        leak_classes=(19,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        makers = dict(_makers(view))
        for held in _imported(view, frozenset((*_CONNECTS, *makers))):
            if _is_made_anew(view, held.symbol):
                continue
            message = f"`{held.symbol.rpartition('.')[2]}` is connected before the fork, and used after it"
            # Who connects once more may do so after the fork: `store.reconnect()`.
            again: list[Condition] = [NamedElsewhere(one) for one in makers.get(view.dotted(held.call.func), ())]
            given = (ForkedWith(held.symbol), Not(AnyOf(tuple(again))))
            yield view.candidate(self.info, held.node, message, given=given)
        for held in _imported(view, _POOLS):
            if not any(one.arg == "poolclass" for one in held.call.keywords):
                name = held.symbol.rpartition(".")[2]
                message = f"`{name}` keeps a connection that was opened before the fork, and gives it out after it"
                given = (ForkedWith(held.symbol, held.symbol), Not(Disposed(held.symbol)))
                yield view.candidate(self.info, held.node, message, given=given)
        yield from self._local(view, makers)
        yield from self._attribute(view)
        yield from self._used_before(view)
        for function in view.functions:
            connects = any(view.dotted(call.func) in _CONNECTS for call in function.nodes(ast.Call))
            kept = next((one.node for one in function.decorators if view.is_cached(function)), None)
            rebinds = bool(function.scope.globals)
            if connects and not function.parameters and (kept is not None or rebinds):
                message = f"`{function.name}` gives the forked process its parent's connection"
                yield view.candidate(self.info, kept or function.node, message, block=function,
                                     given=(ForkedWith(function.symbol, function.symbol),))  # fmt: skip
        for store in view.mutations:
            # Who calls it once more may do so after the fork.
            if store.kind == "rebind" and any(_connects(view, value) for value in store.values):
                maker, name = store.block.symbol, f"{view.top.symbol}.{store.name}"
                message = f"`{store.name}` is connected before the fork, and used after it"
                yield view.candidate(self.info, store.node, message, block=store.block,
                                     given=(ForkedWith(name, maker), Not(UsedBy(maker, "function"))))  # fmt: skip

    def _local(self, view: FileView, makers: Collection[str]) -> Iterator[Candidate]:
        """`client = connect()`, and then `os.fork()` in the same function, or handlers in it that workers inherit."""
        for function in view.functions:
            for name, bindings in function.scope.bindings.items():
                value = bindings[0].value if len(bindings) == 1 else None
                own = isinstance(value, ast.Call) and (
                    view.dotted(value.func) in makers or _is_made_with(view, value, makers)
                )
                if value is None or not (own or _connects(view, value)):
                    continue
                made, message = bindings[0].node, f"`{name}` is connected before the fork, and used after it"
                inside = [one for one in view.functions if one.parent is function and name not in one.scope.bindings]
                if any(_goes_along(view, call, name, made, function) for call in function.nodes(ast.Call)):
                    yield view.candidate(self.info, made, message, block=function)
                elif any(view.entry_point(one) is not None and _uses(one, name) for one in inside):
                    yield view.candidate(self.info, made, message, block=function, given=(Preloaded(),))

    def _attribute(self, view: FileView) -> Iterator[Candidate]:
        """`self.db = connect()` while the object is made, and `os.fork()` in one of its methods."""
        for store in view.mutations:
            owner = store.block.class_
            own = store.kind == "attribute" and store.block.is_initializer and owner is not None
            if not own or not any(_connects(view, value) for value in store.values) or owner is None:
                continue
            methods = view.methods(owner)
            again = any(
                one.name == store.name and one.block.class_ is owner for one in view.mutations if one is not store
            )
            forks = any(
                _is_fork(view, call) or (_is_process(view, call) and f"{store.block.receiver}." in ast.unparse(call))
                for one in methods for call in one.nodes(ast.Call)
            )  # fmt: skip
            used = any(
                one.attr == store.name
                for each in methods
                if not each.is_initializer
                for one in each.nodes(ast.Attribute)
            )
            if forks and used and not again:
                message = f"`self.{store.name}` is connected before the fork, and used after it"
                yield view.candidate(self.info, store.node, message, block=store.block)

    def _used_before(self, view: FileView) -> Iterator[Candidate]:
        """`gateway.call("hello")` of a module's object that connects when it is first used, and then `os.fork()`."""
        classes = {owner.symbol: owner for owner in view.classes}
        for function in view.functions:
            fork = next((call for call in function.nodes(ast.Call) if _is_fork(view, call)), None)
            if fork is None:
                continue
            objects = {held.symbol.rpartition(".")[2]: classes[made]
                       for held in _imported(view, frozenset(classes))
                       if (made := view.dotted(held.call.func)) in classes}  # fmt: skip
            used: dict[str, ast.Call] = {}
            before = (call for call in function.nodes(ast.Call) if call.lineno < fork.lineno)
            for call in sorted(before, key=lambda one: one.lineno):
                match call.func:
                    case ast.Attribute(value=ast.Name(id=name), attr=method) if name in objects:
                        if _connects_in(view, objects[name], method):
                            used.setdefault(name, call)
                        elif any(one.name == method and _lets_go(view, one) for one in view.methods(objects[name])):
                            used.pop(name, None)
            for name, call in used.items():
                if any(_uses(one, name) for one in view.functions if one is not function):
                    message = f"`{name}` is connected before the fork, and used after it"
                    yield view.candidate(self.info, call, message, block=function)


def _connects_in(view: FileView, owner: Block, method: str) -> bool:
    """Whether the method of the class stores a connection on its object, whatever process it is in."""
    stores = [one.block for one in view.mutations if one.kind == "attribute" and one.block.class_ is owner
              and one.block.name == method and any(_connects(view, each) for each in one.values)]  # fmt: skip
    return bool(stores) and not any(one.attr == "getpid" for each in stores for one in each.nodes(ast.Attribute))


def _is_made_with(view: FileView, call: ast.Call, makers: Collection[str]) -> bool:
    """Whether what the call gives has the connection that it is handed: `app = make_app(connect())`."""
    called = called_here(view, call)
    if called is None:
        return False
    names = (one.name for one in called.parameters)
    handed = [*zip(names, call.args, strict=False), *((one.arg, one.value) for one in call.keywords)]
    for name, value in handed:
        if _connects(view, value) or (isinstance(value, ast.Call) and view.dotted(value.func) in makers):
            returned = [one for each in called.nodes(ast.Return) for one in ast.walk(each)]
            # Of `return db.execute(sql)` the rows are given, and not the connection.
            asked = {one.value for one in returned if isinstance(one, ast.Attribute)}
            if any(isinstance(one, ast.Name) and one.id == name and one not in asked for one in returned):
                return True
    return False


def _lets_go(view: FileView, method: Block) -> bool:
    return any(one.kind == "attribute" and ast.unparse(one.values[0]) == "None" for one in view.mutations_in(method))


def _makers(view: FileView) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The functions of the file that give a connection, and the classes whose objects are made with one, each with the
    methods that connect besides."""
    for function in view.functions:
        returned = [one.value for one in function.nodes(ast.Return) if one.value is not None]
        if function.class_ is None and not view.is_cached(function) and any(_connects(view, one) for one in returned):
            yield function.symbol, ()
    for owner in view.classes:
        stores = [
            one.block for one in view.mutations if one.kind == "attribute" and one.block.class_ is owner
            and any(_connects(view, each) for each in one.values)
        ]  # fmt: skip
        begun = {call.func.attr for one in view.methods(owner) if one.is_initializer
                 for call in one.nodes(ast.Call) if isinstance(call.func, ast.Attribute)}  # fmt: skip
        if any(one.is_initializer or one.name in begun for one in stores):
            yield owner.symbol, tuple(one.symbol for one in stores if not one.is_initializer)


def _uses(function: Block, name: str) -> bool:
    return any(one.id == name for one in function.nodes(ast.Name))


def _goes_along(view: FileView, call: ast.Call, name: str, made: ast.AST, function: Block) -> bool:
    """Whether the call starts another process, which has what the name stands for: both go on with it, or it is handed
    over."""
    if _is_fork(view, call):
        inner = [one for one in view.functions if one.parent is function and name not in one.scope.bindings]
        uses = [one for block in (function, *inner) for one in block.nodes(ast.Name) if one.id == name]
        return getattr(made, "lineno", 0) < call.lineno and any(call.lineno < one.lineno for one in uses)
    handed = any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(call))
    return handed and _is_process(view, call) and getattr(made, "lineno", 0) < call.lineno


def _is_fork(view: FileView, call: ast.Call) -> bool:
    """Whether the process goes on twice from here."""
    name = called_name(call)
    return name == "fork_processes" or (name == "fork" and view.dotted(call.func) == "os.fork")


def _is_process(view: FileView, call: ast.Call) -> bool:
    """Whether the call makes a process that starts with what this one has: `Process(…)`, a class below it."""
    made = next((one for one in view.classes if one.symbol == view.dotted(call.func)), None)
    named = "Process" in (called_name(call), *(view.base_names(made) if made is not None else ()))
    return named and view.imports("multiprocessing") and not starts_afresh(view)


def _connects(view: FileView, value: ast.expr) -> bool:
    """Whether it is a connection, or a part of one: `redis.Redis().client()`."""
    calls = [value.value if isinstance(value, ast.Await) else value]
    while isinstance(calls[-1], ast.Call) and isinstance(calls[-1].func, ast.Attribute):
        calls.append(calls[-1].func.value)
    made = [one for one in calls if isinstance(one, ast.Call)]
    one_only = any(_SINGLE in ast.unparse(one) or called_name(one) == "client" for one in made)
    return any(
        view.dotted(one.func) in _CONNECTS or (one_only and view.dotted(one.func) in _ONE_ON_DEMAND) for one in made
    )


def _is_made_anew(view: FileView, symbol: str) -> bool:
    """Whether what a forked process runs first connects it again."""
    children = {path.rpartition(".")[2] for path in forked_paths(view)}
    for block in view.blocks:
        for call in block.nodes(ast.Call):
            children |= {ast.unparse(one.value) for one in call.keywords if one.arg == "initializer"}
    return any(
        one.kind == "rebind" and one.block.name in children and one.name == symbol.rpartition(".")[2]
        for one in view.mutations
    )


def _imported(view: FileView, makers: frozenset[str]) -> Iterator[Held]:
    """The names that hold what is made while the module is imported; a worker's hook binds its own."""
    return (held for held in held_calls(view, makers) if view.block_of(held.node).kind != "function")
