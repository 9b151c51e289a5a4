"""Answers that find their way back by an id that the client chose."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import names_user, proves
from carrel.audit.conditions import AnyOf, Condition, Reachable, SharedClass, SharedObject, TaintedParameter
from carrel.audit.data_conditions import SentParameter
from carrel.audit.file_view import FileView
from carrel.audit.keyed import Keyed, keyed
from carrel.audit.mutations import Mutation
from carrel.audit.origins import MADE, called_name, is_made, leaves
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sent import claimed, origins
from carrel.audit.taint import is_identity_like
from carrel.audit.through import through
from carrel.findings import RuleInfo

__all__ = ["ClientChosenIdRoutes"]

_ID: Final = re.compile(r"(?i)^(?:id|_?id_|[a-z_]*(?:request|client|connection|channel|"
                        r"stream|message|msg|correlation|job|call|rpc|ticket|query|run|"
                        r"progress|reply|x_request)_?id|progress_?token|request_?key)$")  # fmt: skip
_WAITING: Final = frozenset({"create_future", "Future", "Queue", "Event", "Condition", "create_memory_object_stream",
                             "LifoQueue", "SimpleQueue"})  # fmt: skip
_FUTURES: Final = frozenset({"create_future", "Future"})
_WRITES: Final = frozenset({"write_message", "send_json", "send_text", "send_bytes", "send_str", "send", "set_result"})
_OF_APPLICATION: Final = 2
"""How far what Tornado's application holds is from a handler: `self.application.waiting`."""
_CARRIES: Final = re.compile(r"(?i)^_?(?:transport|web_?socket|socket|ws|peer|writer|waiter|future|reply_queue)$")
_CLIENTS: Final = re.compile(r"(?i)request|message|msg|correlation|client|progress|rpc")
"""An id that is handed on under another name, such as `run_id`, may be one that the server made."""
_AWAITS: Final = frozenset({"blpop", "brpop", "bzpopmin", "bzpopmax", "blmove", "brpoplpush"})
"""Calls of a store that wait until somebody puts an answer under the key."""
_LISTENS: Final = frozenset({"subscribe", "psubscribe"})
_ASKS: Final = frozenset({"rpush", "lpush", "xadd", "publish", "send", "apply_async", "delay", "enqueue", "send_task"})
"""Calls that send off the question whose answer is then listened for."""
_KEY_FUNCTION: Final = re.compile(r"(?i)(?:^|_)(?:key|name|path|id|slot)(?:_for|_of)?(?:_|$)")


class ClientChosenIdRoutes:
    """`self.pending[message["id"]] = future`, where two clients may both say `1`."""

    info = RuleInfo(
        rule="client-chosen-id-routes",
        code="CAR020",
        severity="error",
        title="A response is routed by an id that the client chose",
        why="Two clients that send the same id at the same time share one entry: the later one replaces the first, "
        "and one client gets the answer to the other one's request.",
        fix="Number the requests on the server and translate back, or make the client part of the key.",
        page=rule_page("client-chosen-id-routes"),
        leak_classes=(20,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            if mutation.kind == "item":
                yield from self._waiting(view, mutation)
        for function in view.functions:
            yield from self._leaves_user_out(view, function)
            yield from self._awaits(view, function)

    def _waiting(self, view: FileView, mutation: Mutation) -> Iterator[Candidate]:
        shared = _shared(view, mutation)
        if (
            shared is None
            or not mutation.keys
            or not all(_waits(view, one, mutation.block) for one in mutation.values[:1])
        ):
            return
        key = mutation.keys[-1]
        # Whatever it is called: an answer that one asker waits for has to find its way back to that one.
        waits = _is_future(view, mutation) or _is_taken_from(view, mutation) or _is_taken_out(view, mutation)
        answers = waits and not _is_asked_before(mutation)
        chosen = _chosen(view, key, mutation.block, any_name=answers)
        if len(mutation.keys) > 1 or chosen is None or _says_who(view, key, mutation.block):
            return
        if not waits and _is_asked_before(mutation):
            return  # nobody's entry is replaced, and no answer comes by it
        name, sent = chosen
        message = f"`{mutation.block.name}` waits for the answer under `{name}`, which the client chose"
        grades = (
            (Grade("error", sent),) if sent else (Grade("error", (Reachable(mutation.block.symbol),)), Grade("warning"))
        )
        yield view.candidate(self.info, mutation.node, message, block=mutation.block, given=shared, grades=grades)

    def _awaits(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`redis.blpop(f"reply:{body['correlation_id']}")`, the name made here or by a helper."""
        for call in function.nodes(ast.Call):
            listens = called_name(call) in _LISTENS and _asks_before(function)
            if not (called_name(call) in _AWAITS or listens) or not call.args:
                continue
            parts = [one for one in through(view, call.args[0], function) if not isinstance(one[0], ast.Constant)]
            names = [claimed(view, one, where) for one, where in parts]
            sent = [name for name in names if _ID.match(name.replace("-", "_"))]
            # Whoever calls knows where an argument is from, whatever it is called here.
            handed = [_handed(one, where, function) for one, where in parts]
            given = tuple(SentParameter(function.symbol, name) for name in handed if name)
            # Beside what the client says may stand what the server makes when it says nothing.
            made = all(any(told) or is_made(one) for *told, (one, _) in zip(names, handed, parts, strict=True))
            if (sent or given) and made and not any(_says_who(view, one, where) for one, where in parts):
                name = (*sent, *filter(None, handed))[0]
                message = f"`{function.name}` waits for the answer under `{name}`, which the client chose"
                yield view.candidate(self.info, call, message, block=function, given=given)

    def _leaves_user_out(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """A key is asked for with the user and the id, and the function that makes it leaves the user out."""
        for use in keyed(view, function):
            if not isinstance(use.key, ast.Call):
                continue
            maker = _maker(view, use, function)
            left_out = _left_out(maker) if maker is not None else ""
            sent = any(
                claimed(view, one, function) for argument in use.key.args for one in origins(view, argument, function)
            )
            if maker is not None and left_out and sent and isinstance(getattr(use.node, "ctx", None), ast.Store):
                message = (
                    f"`{maker.name}` is handed `{left_out}` and leaves it out of the key, so the client's id is all"
                )
                yield view.candidate(self.info, use.node, message, block=function,
                                     related=(view.location(maker.node, "makes the key"),))  # fmt: skip


def _handed(node: ast.expr, where: Block, function: Block) -> str:
    """The parameter of the function that the expression is; empty when it is something else."""
    name = node.id if isinstance(node, ast.Name) and where is function else ""
    return name if name != function.receiver and function.parameter(name) is not None else ""


def _shared(view: FileView, mutation: Mutation) -> tuple[Condition, ...] | None:
    for access in mutation.accesses:
        if access.kind == "global" and "()" not in access.steps:
            given = view.mutable_global(access)
            if given is not None:
                return given
            return (SharedObject(access.path),)
        if access.own_class is not None and access.steps[0] == "application" and view.imports("tornado"):
            return () if len(access.steps) == _OF_APPLICATION else None
        if access.own_class is not None:
            return (SharedClass(access.own_class.symbol),) if len(access.steps) == 1 else None
    return None


def _waits(view: FileView, value: ast.expr, block: Block) -> bool:
    """Whether the value is something that an answer is waited for with."""
    for one in origins(view, value, block):
        if isinstance(one, ast.Dict | ast.Tuple | ast.List):
            beside = one.values if isinstance(one, ast.Dict) else one.elts
            if any(_waits(view, each, block) for each in beside):
                return True
        elif isinstance(one, ast.Call):
            called = one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")
            if called in _WAITING:
                return True
        elif isinstance(one, ast.Name) and (_CARRIES.search(one.id) or _is_handler(view, one, block)):
            return True
    return False


def _is_handler(view: FileView, node: ast.Name, block: Block) -> bool:
    """Whether it is the handler of one connection itself: `self`, to which the answer is written."""
    entry = view.entry_point(block) if node.id == block.receiver else None
    return entry is not None and entry.kind == "websocket"


def _is_taken_from(view: FileView, mutation: Mutation) -> bool:
    """Whether it is a queue from which the function itself hands its client what others put into it."""
    value = mutation.values[0] if mutation.values else None
    if not isinstance(value, ast.Name):
        return False
    inside = (mutation.block, *(one for one in view.functions if one.parent is mutation.block))
    return any(
        isinstance(call.func, ast.Attribute) and call.func.attr == "get" and ast.unparse(call.func.value) == value.id
        for block in inside
        for call in block.nodes(ast.Call)
    )


def _is_taken_out(view: FileView, mutation: Mutation) -> bool:
    """Whether somebody waits there for an answer: another function writes to the entry, which it takes out, or which it
    finds by what the answer says: `self.routes.get(reply["id"])`.
    """
    place = ast.unparse(mutation.target).rpartition(".")[2]
    for function in view.functions:
        if function is mutation.block or not any(called_name(one) in _WRITES for one in function.nodes(ast.Call)):
            continue
        for call in function.nodes(ast.Call):
            held = call.func.value if isinstance(call.func, ast.Attribute) else None
            if held is None or not call.args or ast.unparse(held).rpartition(".")[2] != place:
                continue
            if called_name(call) == "pop" or (called_name(call) == "get" and _is_read_in(call.args[0], function)):
                return True
    return False


def _is_read_in(key: ast.expr, function: Block) -> bool:
    """Whether it is a part of a message that the function itself has read."""
    _, root = _named(key)
    return isinstance(root, ast.Name) and root is not key and function.parameter(root.id) is None


def _is_future(view: FileView, mutation: Mutation) -> bool:
    values = (one for value in mutation.values[:1] for one in origins(view, value, mutation.block))
    return any(isinstance(one, ast.Call) and called_name(one) in _FUTURES for one in values)


def _is_asked_before(mutation: Mutation) -> bool:
    """Whether the function looks first whether somebody waits there already, to wait with them for the same thing."""
    place = ast.unparse(mutation.target)
    return any(
        isinstance(one.ops[0], ast.In | ast.NotIn) and ast.unparse(one.comparators[0]) == place
        for one in mutation.block.nodes(ast.Compare)
    ) or any(
        call.lineno < getattr(mutation.node, "lineno", 0) and ast.unparse(call.func) == f"{place}.get"
        for call in mutation.block.nodes(ast.Call)
    )  # fmt: skip


def _says_who(view: FileView, key: ast.expr, block: Block) -> bool:
    """Whether some part of the key tells users apart."""
    for leaf, where in leaves(view, key, block):
        name = leaf.attr if isinstance(leaf, ast.Attribute) else getattr(leaf, "id", "")
        if isinstance(leaf, ast.Attribute) and isinstance(leaf.value, ast.Name) and names_user(leaf.value.id):
            return True
        if (is_identity_like(name) and (names_user(name) or "session" in name.lower())) or proves(view, leaf, where):
            return True
    return False


def _chosen(view: FileView, key: ast.expr, block: Block, *, any_name: bool) -> tuple[str, tuple[Condition, ...]] | None:
    """The id's name with what must hold for it to be the client's; `None` when the server may have made it."""
    for leaf, _ in leaves(view, key, block):
        if isinstance(leaf, ast.Call) and (
            MADE.search(ast.unparse(leaf.func)) or view.dotted(leaf.func) == "builtins.id"
        ):
            return None
    for one in origins(view, key, block):
        said = claimed(view, one, block)
        if said and (any_name or _ID.match(said.replace("-", "_"))):
            return said, ()
        name, root = _named(one)
        if isinstance(one, ast.Name) and block.parameter(name) is not None and not _ID.match(name):
            # Whoever calls knows where it is from, whatever it is called here.
            return name, (SentParameter(block.symbol, name),)
        if not isinstance(root, ast.Name):
            return None
        if not _ID.match(name.replace("-", "_")):
            return _part(view, one, root, block) if any_name and root is not one else None
        if claimed(view, one, block) or claimed(view, root, block):
            return name, ()
        if block.parameter(root.id) is None or (root is one and not _CLIENTS.search(name)):
            return None
        taint = view.parameter_taint(block, root.id)
        tainted = taint.given if taint is not None and taint.given else (TaintedParameter(block.symbol, root.id),)
        return f"{ast.unparse(one)}", (AnyOf(tainted),)
    return None


def _named(node: ast.expr) -> tuple[str, ast.expr | None]:
    """What an id is called, and what it is a part of: itself when it is a name."""
    match node:
        case ast.Subscript(value=root, slice=ast.Constant(value=str(name))):
            return name, root
        case ast.Call(func=ast.Attribute(attr="get", value=root), args=[first, *_]):
            return str(getattr(first, "value", "")), root
        case ast.Attribute(value=root, attr=name):
            return name, root
        case ast.Name(id=name):
            return name, node
    return "", None


def _part(view: FileView, node: ast.expr, root: ast.Name, block: Block) -> tuple[str, tuple[Condition, ...]] | None:
    """A part of a message, `message["nonce"]`, which the client has sent, or the caller has been sent by one."""
    if claimed(view, node, block):
        return ast.unparse(node), ()
    if block.parameter(root.id) is None or root.id == block.receiver:
        return None
    return ast.unparse(node), (SentParameter(block.symbol, root.id),)


def _asks_before(function: Block) -> bool:
    return any(called_name(call) in _ASKS for call in function.nodes(ast.Call))


def _maker(view: FileView, use: Keyed, function: Block) -> Block | None:
    assert isinstance(use.key, ast.Call)
    called = use.key.func.attr if isinstance(use.key.func, ast.Attribute) else getattr(use.key.func, "id", "")
    if not _KEY_FUNCTION.search(called):
        return None
    found = [one for one in view.functions if one.name == called and one is not function]
    return found[0] if len(found) == 1 else None


def _left_out(maker: Block) -> str:
    """The parameter that says who is calling and that the function never reads, where it makes a text."""
    returned = [one.value for one in maker.nodes(ast.Return)]
    if len(returned) != 1 or not isinstance(returned[0], ast.JoinedStr | ast.BinOp | ast.Tuple):
        return ""
    read = {one.id for one in maker.nodes(ast.Name)}
    return next((one.name for one in maker.parameters if is_identity_like(one.name) and one.name not in read), "")
