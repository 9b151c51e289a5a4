"""A connection that a process made before it forked, and that both processes use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.conditions import Not
from carrel.audit.file_view import FileView
from carrel.audit.held import Held, held_calls
from carrel.audit.rule import Candidate, rule_page
from carrel.audit.run_conditions import Disposed, ForkedWith
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
        for held in _imported(view, _CONNECTS):
            message = f"`{held.symbol.rpartition('.')[2]}` is connected before the fork, and used after it"
            yield view.candidate(self.info, held.node, message, given=(ForkedWith(held.symbol, lazy=False),))
        for held in _imported(view, _POOLS):
            if not any(one.arg == "poolclass" for one in held.call.keywords):
                name = held.symbol.rpartition(".")[2]
                message = f"`{name}` keeps a connection that was opened before the fork, and gives it out after it"
                given = (ForkedWith(held.symbol, lazy=True), Not(Disposed(held.symbol)))
                yield view.candidate(self.info, held.node, message, given=given)
        for function in view.functions:
            connects = any(view.dotted(call.func) in _CONNECTS for call in function.nodes(ast.Call))
            kept = next((one.node for one in function.decorators if view.is_cached(function)), None)
            rebinds = bool(function.scope.globals)
            if connects and not function.parameters and (kept is not None or rebinds):
                message = f"`{function.name}` gives the forked process its parent's connection"
                yield view.candidate(self.info, kept or function.node, message, block=function,
                                     given=(ForkedWith(function.symbol, lazy=True),))  # fmt: skip


def _imported(view: FileView, makers: frozenset[str]) -> Iterator[Held]:
    """The names that hold what is made while the module is imported; a worker's hook binds its own."""
    return (held for held in held_calls(view, makers) if view.block_of(held.node).kind != "function")
