"""Everyone without an identity gets the same key."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import claimed, names_user, origins, proves
from carrel.audit.conditions import MayGiveNone
from carrel.audit.file_view import FileView
from carrel.audit.keyed import Keyed, keyed
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["MissingIdentityCollapses"]

_COUNTS: Final = re.compile(r"(?i)limit|throttl|quota|rate|metric|stat|count|audit|(?:^|_)log|color|colour|usage|"
                            r"budget|locale|language|config|settings|registry|client")  # fmt: skip
_SAYS_WHO: Final = re.compile(r"(?:^|_)(?:user|tenant|account|owner|customer|session)_?id$|(?:^|_)current_user$")
_HISTORY: Final = re.compile(r"(?:History|Memory|Saver|Checkpointer|Checkpoint|ChatStore|SQLiteSession)$|"
                             r"(?:^|_)(?:load|get|save|append)_(?:\w+_)?(?:history|messages|memory)$")  # fmt: skip
_IDS: Final = frozenset({"session_id", "thread_id", "user_id", "conversation_id", "chat_id", "memory_id", "namespace",
                         "key", "chat_store_key"})  # fmt: skip
_ADDRESS: Final = re.compile(r"^/|://")
_WHO: Final = re.compile(r"(?:^|_)(?:session|session_?id|session_?hash|thread_?id|conversation_?id|chat_?id|sid)$")


class MissingIdentityCollapses:
    """`HISTORY[user.id if user else "default"]`, or a key with `None` in it."""

    info = RuleInfo(
        rule="missing-identity-collapses",
        code="CAR025",
        severity="error",
        title="A missing identity collapses to one key",
        why="All who have no identity get the same key, so each of them reads and continues what another one left.",
        fix="Refuse the request, or give each caller without an identity a random one of their own.",
        page=rule_page("missing-identity-collapses"),
        leak_classes=(25,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            if _COUNTS.search(function.name):
                continue
            seen: set[ast.expr] = set()
            for use in (*keyed(view, function), *_opened(view, function)):
                if _COUNTS.search(ast.unparse(use.container).rpartition(".")[2]) or _only_ends(view, use):
                    continue
                for default, text in _defaults(view, use, function):
                    if default not in seen:
                        seen.add(default)
                        message = f"`{function.name}` stores under {text} for everybody who has no identity"
                        yield view.candidate(self.info, default, message, block=function,
                                             related=(view.location(use.node, "the key is used here"),))  # fmt: skip
                for call in _optional(view, use, function):
                    if call not in seen:
                        seen.add(call)
                        message = f"`{function.name}` makes a key of `{ast.unparse(call)}`, which may be `None`"
                        path = view.path(call.func, function)
                        yield view.candidate(self.info, use.node, message, block=function,
                                             grades=(Grade("error", (MayGiveNone(path),)),))  # fmt: skip
                parameter = _defaulted(view, use, function)
                if parameter is not None and parameter not in seen:
                    seen.add(parameter)
                    message = f"`{function.name}` has one key for everybody who sends no `{ast.unparse(parameter)}`"
                    yield view.candidate(self.info, use.node, message, block=function, severity="warning")
                name = _untested(use, function)
                if name is not None and name not in seen:
                    seen.add(name)
                    message = f"`{function.name}` makes a key of `{ast.unparse(name)}`, which may be missing"
                    yield view.candidate(self.info, use.node, message, block=function, severity="info")


def _only_ends(view: FileView, use: Keyed) -> bool:
    """Whether the key is only used to take something out or to compare it: nobody is given anything."""
    is_deleted = isinstance(use.node, ast.Subscript) and isinstance(use.node.ctx, ast.Del)
    return is_deleted or isinstance(view.module.parent(use.node), ast.Compare)


def _opened(view: FileView, function: Block) -> Iterator[Keyed]:
    """The ids by which what was said is found again: `RedisChatMessageHistory(session_id=user)`."""
    for call in function.nodes(ast.Call):
        if _HISTORY.search(_called(call)):
            for keyword in call.keywords:
                if keyword.arg in _IDS and not isinstance(keyword.value, ast.Constant):
                    yield Keyed(call, keyword.value, call.func, view.access(call.func, function), is_store=True)


def _defaults(view: FileView, use: Keyed, function: Block) -> Iterator[tuple[ast.expr, str]]:
    """The places where the key becomes a constant because there is no identity."""
    for node in _made_of(use.key, function):
        match node:
            case ast.IfExp() if _is_text(node.orelse) and _is_identity(view, node.body, function):
                yield node, f"`{ast.unparse(node.orelse)}`"
            case ast.IfExp() if _is_text(node.body) and _is_identity(view, node.orelse, function):
                yield node, f"`{ast.unparse(node.body)}`"
            case ast.BoolOp() if isinstance(node.op, ast.Or) and _is_text(node.values[-1]):
                if _is_identity(view, node.values[0], function):
                    yield node, f"`{ast.unparse(node.values[-1])}`"
            case ast.Call() if len(node.args) > 1 and _is_text(node.args[-1]):
                named = _called(node)
                said = node.args[-2]
                text = said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else ""
                text = text.lower().replace("-", "_").removeprefix("x_")
                if named == "getattr" and len(node.args) == 3 and text in ("id", "user_id", "username", "sub"):
                    if not _is_identity(view, node.args[0], function) and not names_user(text):
                        continue
                    yield node, f"`{ast.unparse(node.args[-1])}`"
                elif named == "get" and (names_user(text) or _WHO.search(text)):
                    yield node, f"`{ast.unparse(node.args[-1])}`"


def _optional(view: FileView, use: Keyed, function: Block) -> Iterator[ast.Call]:
    """The calls in the key that say who somebody is, and that may have nothing to say."""
    for node in _made_of(use.key, function):
        if isinstance(node, ast.Call) and (_SAYS_WHO.search(_called(node))):
            holder = view.module.parent(node)
            tested = isinstance(holder, ast.Assign) and isinstance(holder.targets[0], ast.Name) and _is_tested(
                function, holder.targets[0].id
            )  # fmt: skip
            if not tested:
                yield node


def _defaulted(view: FileView, use: Keyed, function: Block) -> ast.expr | None:
    """The parameter of a handler that is the key, and that has a constant where the client sends nothing."""
    for node in _made_of(use.key, function):
        if (
            isinstance(node, ast.Name)
            and claimed(view, node, function)
            and (names_user(node.id) or _WHO.search(node.id))
        ):
            parameter = function.parameter(node.id)
            default = parameter.default if parameter is not None else None
            if isinstance(default, ast.Call) and default.args:
                default = default.args[0]
            if isinstance(default, ast.Constant) and isinstance(default.value, str) and default.value:
                return node
    return None


def _untested(use: Keyed, function: Block) -> ast.expr | None:
    """The parameter in a composed key that may be `None` and is never tested."""
    for node in _made_of(use.key, function):
        if not isinstance(node, ast.Name) or not names_user(node.id):
            continue
        parameter = function.parameter(node.id)
        if parameter is None or not isinstance(parameter.default, ast.Constant) or parameter.default.value is not None:
            continue
        if not _is_tested(function, node.id):
            return node
    return None


def _made_of(key: ast.expr, function: Block) -> Iterator[ast.expr]:
    """The key's own expressions, through texts, tuples and locals."""
    stack, seen = [key], set[int]()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        match node:
            case ast.Name():
                if function.parameter(node.id) is None:
                    stack += [one.value for one in function.scope.bindings.get(node.id, ()) if one.value is not None]
            case ast.JoinedStr():
                stack += [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
            case ast.Tuple():
                stack += node.elts
            case ast.BinOp():
                stack += [node.left, node.right]
            case ast.Await():
                stack.append(node.value)


def _is_identity(view: FileView, node: ast.expr, function: Block) -> bool:
    for one in origins(view, node, function):
        if proves(view, one, function):
            return True
        said = claimed(view, one, function).lower().replace("-", "_").removeprefix("x_")
        name = one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", said) or said
        if names_user(name) or _WHO.search(name):
            return True
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.attr in ("id", "sub", "pk"):
            return is_identity_like(one.value.id) or names_user(one.value.id)
    return False


def _is_tested(function: Block, name: str) -> bool:
    """Whether something in the function asks whether the name has a value, or gives it one."""
    for node in (*function.nodes(ast.If, ast.IfExp), *function.nodes(ast.Assert, ast.While)):
        if any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node.test)):
            return True
    for comparison in function.nodes(ast.Compare):
        if isinstance(comparison.left, ast.Name) and comparison.left.id == name:
            return True
    return any(one.kind == "assignment" for one in function.scope.bindings.get(name, ())[1:])


def _is_text(node: ast.expr) -> bool:
    """Whether it is a text that may stand for somebody: an address, `"/users/me"`, does not."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and not _ADDRESS.search(node.value)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
