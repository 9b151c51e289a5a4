"""What one user is told goes to everybody who is connected."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import structs

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.callers import names_user
from carrel.audit.chains import chain_names
from carrel.audit.conditions import Condition, NamedElsewhere, Reachable, SharedClass
from carrel.audit.connections import QUEUES, alive, asks_state, everybody
from carrel.audit.data_conditions import MadeBy
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name, is_fixed, leaves
from carrel.audit.persons import is_person, is_private, says_of_person
from carrel.audit.put_aside import of_job
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.taint import Taint
from carrel.audit.through import through
from carrel.findings import RuleInfo

__all__ = ["BroadcastToEverySocket"]

_SENDS: Final = frozenset({"send_json", "send_text", "send_bytes", "send", "send_str", "write_message", "put",
                           "put_nowait", "send_message", "emit", "sendMessage"})  # fmt: skip
_WRITES: Final = frozenset({"send_json", "send_text", "send_bytes", "send_str", "write_message", "sendMessage"})
"""What only connections do."""
_BROADCASTS: Final = frozenset({"websockets.broadcast", "websockets.asyncio.server.broadcast"})
_SERVERS: Final = frozenset({"socketio.AsyncServer", "socketio.Server", "flask_socketio.SocketIO",
                             "socketio.AsyncManager",
                             "socketio.AsyncRedisManager", "socketio.RedisManager"})  # fmt: skip
_CALLED: Final = re.compile(r"^_?(?:sio|socket_?io)(?:_server)?$")
"""What such a server is called where a function is handed it."""
_NAMESPACES: Final = frozenset({"socketio.AsyncNamespace", "socketio.Namespace", "flask_socketio.Namespace"})
_SID: Final = re.compile(r"(?i)(?:^|[._])(?:sid|room|to)(?:_?id)?$")
_NARROWED: Final = frozenset({"to", "room", "sid"})
_MESSAGES: Final = re.compile(
    r"(?i)message|event|notif|output|stream|chunk|token|outbox|ws|socket|sse|answer|repl|log|updates"
)
_FOR_ALL: Final = re.compile(r"(?i)(?:^|_)(?:broadcasts?|for_all|to_all|everyone|everybody)$")
_ID: Final = re.compile(r"(?:^|_)(?:id|uuid|pk)$")
_PARTIAL: Final = frozenset({"functools.partial"})


class BroadcastToEverySocket:
    """`for socket in self.active: await socket.send_json(message)`."""

    info = RuleInfo(
        rule="broadcast-to-every-socket",
        code="CAR021",
        severity="error",
        title="A private event is sent to every socket",
        why="Every connection gets the message, also those of other users, and each of them sees what one user asked "
        "or was answered.",
        fix="Keep connections by user and send to those of the user whom the event is for.",
        page=rule_page("broadcast-to-every-socket"),
        leak_classes=(21,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        servers = _servers(view)
        for function in view.functions:
            yield from self._loops(view, function)
            yield from self._at_once(view, function)
            yield from self._groups(view, function)
            yield from self._emits(view, function, servers)
        yield from self._queues(view)

    def _loops(self, view: FileView, function: Block) -> Iterator[Candidate]:
        for loop in function.nodes(ast.For, ast.AsyncFor):
            targets = _targets(loop)
            shared = everybody(view, loop.iter, function, known=_writes_to(loop, targets))
            if shared is None:
                continue
            for call in (one for one in ast.walk(loop) if isinstance(one, ast.Call)):
                if not isinstance(call.func, ast.Attribute) or call.func.attr not in _SENDS or not call.args:
                    continue
                if _root(call.func.value) not in targets or _is_chosen(view, call, loop):
                    continue
                taint = view.best_taint(tuple(call.args), function)
                if taint is None or _says_only_which(call.args[0]):
                    break
                if not _is_meant_for_all(view, call.args, function):
                    message = f"`{function.name}` sends {taint.reason} to everybody who is connected"
                    given = (*shared, *_is_in_use(view, function))
                    yield view.candidate(self.info, call, message, block=function, given=given,
                                         grades=_grades(taint, function, call.args))  # fmt: skip
                break

    def _at_once(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`gather(*[socket.send_json(message) for socket in connected])`."""
        for many in function.nodes(ast.ListComp, ast.GeneratorExp):
            call, first = many.elt, many.generators[0]
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not alive(many):
                continue
            if call.func.attr in _SENDS and call.args:
                yield from self._sent(view, call, first.iter, call.args, function, known=call.func.attr in _WRITES)
        for call in function.nodes(ast.Call):
            if view.dotted(call.func) in _BROADCASTS and len(call.args) > 1:
                yield from self._sent(view, call, call.args[0], call.args[1:2], function, known=True)

    def _sent(
        self, view: FileView, call: ast.Call, to: ast.expr, sent: list[ast.expr], function: Block, *, known: bool
    ) -> Iterator[Candidate]:
        shared = everybody(view, to, function, known=known)
        taint = view.best_taint(tuple(sent), function) if shared is not None else None
        if shared is not None and taint is not None:
            message = f"`{function.name}` sends {taint.reason} to everybody who is connected"
            yield view.candidate(self.info, call, message, block=function, given=shared,
                                 grades=_grades(taint, function, sent))  # fmt: skip

    def _groups(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`emit(…, broadcast=True)` of Flask-SocketIO, and `group_send("all", …)` of Channels."""
        for call in function.nodes(ast.Call):
            to_all = view.dotted(call.func) == "flask_socketio.emit" and any(
                one.arg == "broadcast" and isinstance(one.value, ast.Constant) and one.value.value is True
                for one in call.keywords
            )
            if not to_all and not (_is_group_send(call) and _is_fixed_group(view, call, function)):
                continue
            taint = view.best_taint(tuple(call.args[1:]), function)
            told = _told_of_person(call) if _is_receiver(view, function) else ""
            if told:
                message = f"`{function.name}` sends `{told}` to everybody who is connected"
                yield view.candidate(self.info, call, message, block=function, severity="error")
            elif taint is not None and not all(map(_says_only_which, call.args[1:])):
                message = f"`{function.name}` sends {taint.reason} to everybody who is connected"
                yield view.candidate(self.info, call, message, block=function, grades=_grades(taint, function))

    def _emits(self, view: FileView, function: Block, servers: frozenset[str]) -> Iterator[Candidate]:
        for call in function.nodes(ast.Call):
            emit, arguments = call.func, call.args
            if view.dotted(call.func) in _PARTIAL and call.args:
                emit, arguments = call.args[0], call.args[1:]
            if not isinstance(emit, ast.Attribute) or emit.attr not in ("emit", "send"):
                continue
            access = view.access(emit.value, function)
            made: tuple[Condition, ...] = ()
            if access.path not in servers and not _is_namespace(view, access) and not _is_handed_server(access):
                if access.kind != "global" or access.steps or access.name.startswith(f"{view.top.symbol}."):
                    continue
                made = (MadeBy(access.path, tuple(sorted(_SERVERS))),)
            to_one = (
                len(arguments) > 2 and _SID.search(ast.unparse(arguments[2])) is not None
            )  # `emit(event, data, sid)`
            if to_one or any(one.arg in _NARROWED or one.arg is None for one in call.keywords):
                continue
            message = f"`{function.name}` emits to everybody who is connected, with no room"
            private = _private(view, arguments[1], function) if len(arguments) > 1 else ""
            aside = of_job(view, arguments[1], function) if len(arguments) > 1 else ""
            if private or aside:
                message = f"`{function.name}` emits `{private or aside}` to everybody who is connected, with no room"
                # What a handler has put aside for somebody comes back by a way that is not seen.
                given = made if aside else (*made, Reachable(function.symbol))
                found = view.candidate(self.info, call, message, block=function, given=given)
                yield structs.replace(found, by_anybody=True)
                continue
            taint = view.best_taint(tuple(arguments[1:]), function) if len(arguments) > 1 else None
            if taint is not None and not _lists_all(arguments[1]) and not _says_only_which(arguments[1]):
                yield view.candidate(self.info, call, message, block=function, given=made,
                                     grades=_grades(taint, function))  # fmt: skip
            elif emit is not call.func and _knows_user(function):
                # What will be sent through it is not known yet; whom it is for is.
                yield view.candidate(self.info, call, message, block=function, given=made, severity="warning")

    def _queues(self, view: FileView) -> Iterator[Candidate]:
        """One queue that every handler puts into, and every connection takes from."""
        for mutation in view.mutations:
            if mutation.kind != "method" or mutation.name not in ("put", "put_nowait"):
                continue
            for access in mutation.accesses:
                owner = access.own_class
                if owner is None or len(access.steps) != 1:
                    continue
                name = access.steps[0]
                taker = _taker(view, owner, name) if _MESSAGES.search(name) and _is_queue(view, owner, name) else None
                taint = view.best_taint(mutation.values, mutation.block)
                if taker is None or taint is None:
                    continue
                message = (
                    f"`{mutation.block.name}` puts {taint.reason} into `self.{name}`, which every connection takes from"
                )
                yield view.candidate(
                    self.info, mutation.node, message, block=mutation.block,
                    given=(SharedClass(owner.symbol), Reachable(taker.symbol)), grades=_grades(taint, mutation.block),
                    related=(view.location(taker.node, "takes from it, whoever it is for"),),
                )  # fmt: skip


def _is_group_send(call: ast.Call) -> bool:
    """`layer.group_send(…)`, and `async_to_sync(layer.group_send)(…)`."""
    func = call.func
    if isinstance(func, ast.Call) and called_name(func) == "async_to_sync" and func.args:
        func = func.args[0]
    return isinstance(func, ast.Attribute) and func.attr == "group_send"


def _is_fixed_group(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether the group is the same at every call, by itself or by what a helper gives back."""
    parts = list(through(view, call.args[0], function)) if call.args else []
    return bool(parts) and all(isinstance(one, ast.Constant) or _is_constant(view, one, where) for one, where in parts)


def _is_constant(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether it is a constant of a module or of a class: `GROUP`, `Consumer.group`."""
    if is_fixed(view, node, function):
        return True
    access = view.access(node, function)
    owner = node.value if isinstance(node, ast.Attribute) else None
    named = owner.id if isinstance(owner, ast.Name) else ""
    return access.kind in ("global", "class") and not {"()", "[]"} & set(access.steps) and named[:1].isupper()


def _is_receiver(view: FileView, function: Block) -> bool:
    """Whether Django calls the function when a row was saved or deleted."""
    if function.has_decorator("receiver"):
        return True
    if not view.imports("django") or function.parameter("instance") is None:
        return False
    calls = (call for block in view.blocks for call in block.nodes(ast.Call) if called_name(call) == "connect")
    return any(view.path(one, view.top) == function.symbol for call in calls for one in call.args[:1])


def _told_of_person(call: ast.Call) -> str:
    """What the message has of a row that is about a person: `instance.student.name`."""
    for value in call.args[1:]:
        for node in ast.walk(value):
            if isinstance(node, ast.Attribute) and chain_names(node)[0] == "instance" and says_of_person(node.attr):
                return ast.unparse(node)
    return ""


def _targets(loop: ast.For | ast.AsyncFor) -> set[str]:
    """The variables of the loop, and of the loops in it over what they hold."""
    found = {one.id for one in ast.walk(loop.target) if isinstance(one, ast.Name)}
    for inner in ast.walk(loop):
        if isinstance(inner, ast.For | ast.AsyncFor) and _root(inner.iter) in found:
            found |= {one.id for one in ast.walk(inner.target) if isinstance(one, ast.Name)}
    return found


def _writes_to(loop: ast.For | ast.AsyncFor, targets: set[str]) -> bool:
    """Whether what the loop goes over is written to as only connections are: `one.send_json(…)`."""
    calls = (one.func for one in ast.walk(loop) if isinstance(one, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr in _WRITES and _root(one) in targets for one in calls)


def _private(view: FileView, data: ast.expr, function: Block) -> str:
    """What of a row is told of one person, and is part of the data: `visit["allergies"]`."""
    for leaf, where in leaves(view, data, function):
        match leaf:
            case ast.Subscript(slice=ast.Constant(value=str(name))) | ast.Attribute(attr=name) if is_private(name):
                root = view.access(leaf, where)
                if root.kind in ("local", "new", "unknown") or "()" in root.steps:
                    return ast.unparse(leaf)
    return ""


def _grades(taint: Taint, function: Block, sent: Iterable[ast.expr] = ()) -> tuple[Grade, ...]:
    if _is_told_whom(function, sent):
        return (Grade("error"),)
    return (Grade("error", (*taint.given, Reachable(function.symbol))), Grade("info"))


def _is_told_whom(function: Block, sent: Iterable[ast.expr]) -> bool:
    """Whether the function is handed a person and sends nothing of it: it is for that one, whoever calls.

    What has its author in it may be meant for all.
    """
    used = {one.id for value in sent for one in ast.walk(value) if isinstance(one, ast.Name)}
    asked = [one.name for one in function.parameters if one.name != function.receiver and one.default is None]
    named = [name for name in asked if is_person(name)]
    return bool(used) and bool(named) and used.isdisjoint(named)


def _is_in_use(view: FileView, function: Block) -> tuple[Condition, ...]:
    """That somebody serves with the class: a handler that nothing names is a leftover."""
    owner = function.class_
    if owner is None or owner.decorators:
        return ()
    here = any(name.id == owner.name for block in view.blocks for name in block.nodes(ast.Name))
    return () if here else (NamedElsewhere(owner.symbol),)


def _is_chosen(view: FileView, call: ast.Call, loop: ast.For | ast.AsyncFor) -> bool:
    """Whether a test in the loop says which of the connections get it."""
    for around in view.ancestors(call):
        if around is loop:
            break
        if isinstance(around, ast.If) and not asks_state(around.test, _targets(loop)):
            return True
    return any(
        isinstance(one, ast.If) and any(isinstance(inner, ast.Continue) for inner in one.body)
        and not asks_state(one.test, _targets(loop))
        for one in loop.body
    )  # fmt: skip


def _is_meant_for_all(view: FileView, sent: list[ast.expr], function: Block) -> bool:
    """Whether it is what handlers have put aside for everybody: `answer.broadcast` of an object that is made here.

    What a method gives may be what the client said.
    """
    parts = [part for one in sent for part, _ in leaves(view, one, function)]
    aside = any(isinstance(one, ast.Attribute) and _FOR_ALL.search(one.attr) for one in parts)
    called = [called_name(one) for one in parts if isinstance(one, ast.Call)]
    return aside and any(one[:1].isupper() for one in called) and all(
        one[:1].isupper() or one in ("str", "dumps", "encode") for one in called
    )  # fmt: skip


def _lists_all(data: ast.expr) -> bool:
    """Whether what is sent is a list of everybody: it says the same to all, and is meant to."""
    return any(isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "keys"
               for one in ast.walk(data))  # fmt: skip


def _says_only_which(data: ast.expr) -> bool:
    """Whether it says that there is something, and its id: what it holds, each asks for, and is checked then."""
    if isinstance(data, ast.Call) and called_name(data) in ("dumps", "str") and len(data.args) == 1:
        data = data.args[0]
    if not isinstance(data, ast.Dict):
        return False
    told = [one for one in data.values if not isinstance(one, ast.Constant)]
    names = [chain_names(one)[-1] for one in told if isinstance(one, ast.Name | ast.Attribute)]
    return bool(told) and len(names) == len(told) and all(
        _ID.search(name) and not names_user(name) and "session" not in name for name in names
    )  # fmt: skip


def _servers(view: FileView) -> frozenset[str]:
    """The module's Socket.IO servers, by path."""
    return frozenset(
        f"{view.top.symbol}.{name}"
        for name, bindings in view.module.scope.bindings.items()
        for one in bindings
        if isinstance(one.value, ast.Call) and view.dotted(one.value.func) in _SERVERS
    )


def _is_namespace(view: FileView, access: Access) -> bool:
    """Whether it is a namespace of Socket.IO itself, which emits to all who are connected to it: `self`."""
    owner = access.own_class if not access.steps else None
    return owner is not None and not _NAMESPACES.isdisjoint(view.base_paths(owner))


def _is_handed_server(access: Access) -> bool:
    """Whether it is a server that the function, or the one around it, is handed: `def tell(socketio, text)`."""
    handed = access.kind in ("parameter", "cell") and access.block is not None and not access.steps
    return handed and access.block is not None and access.block.parameter(access.name) is not None and bool(
        _CALLED.match(access.name)
    )  # fmt: skip


def _knows_user(function: Block) -> bool:
    return any(names_user(one.name) for one in function.parameters)


def _is_queue(view: FileView, owner: Block, name: str) -> bool:
    return any(
        isinstance(value, ast.Call) and view.dotted(value.func) in QUEUES
        for mutation in view.mutations
        if mutation.kind == "attribute" and mutation.name == name and mutation.block.class_ is owner
        for value in mutation.values
    )


def _taker(view: FileView, owner: Block, name: str) -> Block | None:
    """The method that gives its caller what is in the queue, or that sends it."""
    for method in view.methods(owner):
        for call in method.nodes(ast.Call):
            func = call.func
            if not isinstance(func, ast.Attribute) or func.attr not in ("get", "get_nowait"):
                continue
            if any(one.kind == "self" and one.steps == (name,) for one in view.accesses(func.value, method)):
                parent = view.module.parent(call)
                parent = view.module.parent(parent) if isinstance(parent, ast.Await) else parent
                if isinstance(parent, ast.Return | ast.Yield | ast.Call):
                    return method
    return None


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
