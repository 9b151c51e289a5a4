"""A slot for one connection, in an application that has many."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.conditions import AnyOf, Condition, MutableGlobal, SharedClass, SharedObject, TaintedParameter
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, is_fixed
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo, Severity

__all__ = ["LastConnectionWins"]

_TYPES: Final = frozenset({"WebSocket", "WebSocketServerProtocol", "ServerConnection", "WebSocketResponse",
                           "StreamWriter", "WebSocketHandler", "WebSocketConnection"})  # fmt: skip
_SOCKET: Final = re.compile(r"(?i)^_?(?:web_?socket|ws|socket)$")
_SENDING: Final = frozenset({"send_json", "send_text", "send_bytes", "send_str", "send", "write_message", "write"})
_QUEUES: Final = frozenset({"asyncio.Queue", "queue.Queue", "queue.SimpleQueue"})
_SLOT: Final = re.compile(r"(?i)socket|(?:^|_)ws(?:_|$)|connection|send|emit|writer|transport|sink|"
                          r"(?:^|_)client(?:_|$)|output|notify|push|callback|stream")  # fmt: skip
_OF_CONNECTION: Final = re.compile(r"(?i)connection|session|channel|client|consumer|protocol|handler|peer|endpoint")


class LastConnectionWins:
    """`state.active_socket = socket` in the handler of each connection."""

    info = RuleInfo(
        rule="last-connection-wins",
        code="CAR022",
        severity="error",
        title="A slot holds the last connection",
        why="There is one slot and there are many connections. Whoever connects last gets what is meant for those "
        "who came before.",
        fix="Keep connections by user, or give each connection an object of its own.",
        page=rule_page("last-connection-wins"),
        leak_classes=(22,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            if (
                mutation.kind not in ("attribute", "rebind", "item")
                or mutation.block.is_initializer
                or len(mutation.values) != 1
            ):
                continue
            value = mutation.values[0]
            given = _slot(view, mutation)
            if given is None:
                continue
            if _is_connection(view, value, mutation.block) or _is_inbox(view, mutation, value):
                yield self._candidate(view, mutation, given, ())
            elif (
                isinstance(value, ast.Name)
                and mutation.block.parameter(value.id) is not None
                and (_sends_through(view, mutation) or (_SLOT.search(mutation.name) and _calls_it(view, mutation)))
            ):
                yield self._candidate(view, mutation, given, (TaintedParameter(mutation.block.symbol, value.id),))

    def _candidate(
        self, view: FileView, mutation: Mutation, given: tuple[Condition, ...], sent: tuple[Condition, ...]
    ) -> Candidate:
        slot = mutation.name or ast.unparse(mutation.target)
        message = f"`{mutation.block.name}` keeps the connection in `{slot}`, one slot for all of them"
        severity: Severity = "info" if _closes_former(mutation) or _leaves_former(view, mutation) else "error"
        return view.candidate(self.info, mutation.node, message, block=mutation.block, given=(*given, *sent),
                              grades=(Grade(severity),), lower_unreachable=True)  # fmt: skip


def _slot(view: FileView, mutation: Mutation) -> tuple[Condition, ...] | None:
    """What must hold for the name to be one for all connections; `None` when it is not."""
    if mutation.kind == "item" and not all(is_fixed(view, key, mutation.block) for key in mutation.keys):
        return None
    if mutation.kind == "rebind":
        return () if mutation.name in mutation.block.scope.globals else None
    for access in mutation.accesses:
        if access.kind == "class" and not access.steps:
            return ()
        if access.kind == "global" and not access.name.startswith("builtins."):
            return () if access.path.endswith("app.state") else (MutableGlobal(access.name),)
        if access.kind == "parameter" and access.steps[-2:] == ("app", "state"):
            return ()
        if mutation.kind == "item" and access.kind == "parameter" and access.steps[:1] == ("app",):
            # `request.app["links"]["display"]`: the keys are the same for all.
            return () if set(access.steps[1:]) <= {"[]"} else None
        owner = access.own_class
        if owner is not None and not access.steps and _serves_all(view, mutation.block):
            return ()
        if owner is not None and not access.steps:
            # An object that is a connection's own has one of them.
            return None if _OF_CONNECTION.search(owner.name) and not owner.name.endswith("Manager") else (
                SharedClass(owner.symbol),
            )  # fmt: skip
        if owner is not None and len(access.steps) == 1:
            return (AnyOf((SharedObject(access.path), SharedClass(owner.symbol))),)
    return None


def _serves_all(view: FileView, method: Block) -> bool:
    """Whether the method of one object is given to a server, `serve(bridge.attach, …)`, for every connection."""
    path = f"{method.class_.symbol}().{method.name}" if method.class_ is not None else ""
    entry = next((one for one in view.entry_points if one.path == path), None)
    if entry is None or entry.kind not in ("websocket", "consumer"):
        return False
    return any(
        isinstance(handed, ast.Attribute) and view.path(handed, block) == path
        for block in view.blocks
        for call in block.nodes(ast.Call)
        if call.lineno == entry.line
        for handed in (*call.args, *(one.value for one in call.keywords))
    )


def _is_connection(view: FileView, value: ast.expr, block: Block) -> bool:
    if isinstance(value, ast.Attribute) and value.attr in _SENDING:
        value = value.value
    if isinstance(value, ast.Call) and view.dotted(value.func) == "quart.websocket._get_current_object":
        return True
    if not isinstance(value, ast.Name):
        return False
    entry = view.entry_point(block)
    if value.id == block.receiver:
        return entry is not None and entry.kind == "websocket"  # the handler is the connection
    parameter = block.parameter(value.id)
    if parameter is None:
        made = [one.value for one in block.scope.bindings.get(value.id, ()) if isinstance(one.value, ast.Call)]
        return any(view.dotted(one.func) == "aiohttp.web.WebSocketResponse" for one in made)
    annotation = view.annotation_name(parameter.annotation)
    return annotation in _TYPES or (not annotation and _SOCKET.match(value.id) is not None)


def _is_inbox(view: FileView, mutation: Mutation, value: ast.expr) -> bool:
    """Whether a handler puts a queue of its own there, and hands its client what is in it."""
    entry = view.entry_point(mutation.block)
    if entry is None or entry.kind not in ("route", "websocket") or not isinstance(value, ast.Call):
        return False
    slot = _slots(view, mutation)
    inside = (mutation.block, *(one for one in view.functions if one.parent is mutation.block))
    return view.dotted(value.func) in _QUEUES and any(
        called_name(call) == "get" and isinstance(call.func, ast.Attribute)
        and any(_place(one) in slot for one in view.accesses(call.func.value, block))
        for block in inside for call in block.nodes(ast.Call)
    )  # fmt: skip


def _closes_former(mutation: Mutation) -> bool:
    """Whether the one before is closed on purpose, so that there is one connection at a time."""
    slot = f"{ast.unparse(mutation.target)}.{mutation.name}" if mutation.kind == "attribute" else mutation.name
    assigns = (one for one in mutation.block.nodes(ast.Assign) if ast.unparse(one.value) == slot)
    former = {slot, *(target.id for one in assigns for target in one.targets if isinstance(target, ast.Name))}
    return any(
        isinstance(call.func, ast.Attribute) and call.func.attr == "close" and ast.unparse(call.func.value) in former
        for call in mutation.block.nodes(ast.Call)
    )


def _leaves_former(view: FileView, mutation: Mutation) -> bool:
    """Whether the slot is filled only where there is nothing in it: `if not slot or slot.is_closed: slot = socket`."""
    slot = f"{ast.unparse(mutation.target)}.{mutation.name}" if mutation.kind == "attribute" else mutation.name
    empty = {f"not {slot}", f"{slot} is None"}
    inner: ast.AST = mutation.node
    for around in view.ancestors(mutation.node):
        if isinstance(around, ast.If) and inner in around.body:
            tests = around.test.values if isinstance(around.test, ast.BoolOp) else [around.test]
            if any(ast.unparse(one) in empty for one in tests):
                return True
        inner = around
    return False


def _sends_through(view: FileView, mutation: Mutation) -> bool:
    """Whether a function of the file sends through what the slot holds: `_out.send(text)`, under whatever name."""
    slot = _slots(view, mutation)
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in _SENDING
        and any(_place(one) in slot for one in view.accesses(call.func.value, function))
        for function in view.functions
        for call in function.nodes(ast.Call)
    )


def _slots(view: FileView, mutation: Mutation) -> set[tuple[str, str]]:
    """What leads to the slot from any function of the file, with the key of the last item on the way."""
    if mutation.kind == "rebind":
        return {(f"{view.top.symbol}.{mutation.name}", "")}
    if mutation.kind == "attribute":
        return {_place(one.step(mutation.name)) for one in mutation.accesses if one.path}
    return {_place(one.step("[]", mutation.keys[-1])) for one in mutation.accesses if one.path}


def _place(access: Access) -> tuple[str, str]:
    return access.path, ast.unparse(access.keys[-1]) if access.keys else ""


def _calls_it(view: FileView, mutation: Mutation) -> bool:
    """Whether the class calls what it keeps: it is a way to send."""
    owner = mutation.block.class_
    for method in view.methods(owner) if owner is not None else ():
        for call in method.nodes(ast.Call):
            if ast.unparse(call.func) == f"{method.receiver}.{mutation.name}":
                return True
    return False
