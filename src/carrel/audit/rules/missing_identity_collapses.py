"""Everyone without an identity gets the same key."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import names_user
from carrel.audit.chains import chain_names
from carrel.audit.conditions import Condition, Reachable, SharedClass
from carrel.audit.data_conditions import Gives, KeepsUnder, MakesKeyOf, MayGiveNone, OpenToAll
from carrel.audit.file_view import FileView
from carrel.audit.keyed import Keyed, is_there, keyed, only_ends
from carrel.audit.nobody import counts_only, key_parts, names_session, stand_ins
from carrel.audit.origins import called_name, is_request_name
from carrel.audit.persons import person_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sent import claimed
from carrel.audit.through import through
from carrel.findings import RuleInfo, Severity

__all__ = ["MissingIdentityCollapses"]

_SAYS_WHO: Final = re.compile(
    r"(?:^|_)(?:user|tenant|account|owner|customer|session)_?id$|(?:^|_)current_user$|"
    r"^_?(?:owner|user|caller|member|customer|visitor|tenant|account)_(?:of|from|for)(?:_[a-z]+)?$"
)
_HISTORY: Final = re.compile(r"(?:History|Memory|Saver|Checkpointer|Checkpoint|ChatStore|SQLiteSession)$|"
                             r"(?:^|_)(?:load|get|save|append)_(?:\w+_)?(?:history|messages|memory)$")  # fmt: skip
_IDS: Final = frozenset({"session_id", "thread_id", "user_id", "conversation_id", "chat_id", "memory_id", "namespace",
                         "key", "chat_store_key"})  # fmt: skip


_STORES: Final = re.compile(r"^a?_?(?:save|store|add|append|put|remember|write|insert|record|set)_[a-z_]+$")
_ASKED: Final = re.compile(r"_(?:key|id)$|_(?:of|from|for)$|(?:^|_)(?:key|id)_(?:of|from|for)_")
"""How functions end that say of a request whose it is."""
_SIGNED_IN: Final = re.compile(r"^is_(?:authenticated|anonymous)$")


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
            if counts_only(function.name):
                continue
            yield from self._handed_on(view, function)
            yield from self._asked_elsewhere(view, function)
            seen: set[ast.expr] = set()
            for use in (*keyed(view, function), *_opened(view, function)):
                if counts_only(ast.unparse(use.container).rpartition(".")[2]) or only_ends(view, use):
                    continue
                for default, text in stand_ins(view, use.key, function):
                    if text == "`''`" and (_only_looks(view, use, function) or is_there(view, use)):
                        continue
                    if default not in seen:
                        seen.add(default)
                        message = f"`{function.name}` stores under {text} for everybody who has no identity"
                        yield view.candidate(self.info, default, message, block=function, grades=_grades(use, function),
                                             related=(view.location(use.node, "the key is used here"),))  # fmt: skip
                for call in _optional(view, use, function):
                    if call not in seen:
                        seen.add(call)
                        message = f"`{function.name}` makes a key of `{ast.unparse(call)}`, which may be `None`"
                        given = (MayGiveNone(view.path(call.func, function)),)
                        yield view.candidate(self.info, use.node, message, block=function, given=given,
                                             grades=_grades(use, function))  # fmt: skip
                parameter = _defaulted(view, use, function)
                if parameter is not None and parameter not in seen:
                    seen.add(parameter)
                    message = f"`{function.name}` has one key for everybody who sends no `{ast.unparse(parameter)}`"
                    yield view.candidate(self.info, use.node, message, block=function,
                                         grades=_grades(use, function, "warning"))  # fmt: skip
                name = _untested(use, function)
                if name is not None and name not in seen:
                    seen.add(name)
                    message = f"`{function.name}` makes a key of `{ast.unparse(name)}`, which may be missing"
                    left_out = view.entry_point(function) is not None and _is_header(view, name, function)
                    grades = _grades(use, function, "warning") if left_out else (Grade("info"),)
                    yield view.candidate(self.info, use.node, message, block=function, grades=grades)

    def _handed_on(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """What is stored elsewhere under an identity that this function, or a helper, fills in for everybody."""
        for target, name, value in _published(function):
            for default, text in stand_ins(view, value, function):
                message = f"`{ast.unparse(target)}` is {text} for everybody who has no identity, and a key elsewhere"
                yield view.candidate(self.info, default, message, block=function, given=(MakesKeyOf(name),))
        for node, key in _stored(view, function):
            for part in key_parts(key, function):
                path = _made_by(view, part, function)
                if path:
                    message = f"`{function.name}` stores under `{ast.unparse(part)}`, one text for all without identity"
                    given = (Gives(path, "stand-in"), Reachable(function.symbol))
                    yield view.candidate(self.info, node, message, block=function, given=given)
        for value in _conversations(function):
            for default, text, where in _instead(view, value, function):
                message = f"`{function.name}` continues the conversation {text} for everybody who names none"
                yield view.candidate(self.info, default, message, block=where,
                                     grades=(Grade("error", (Reachable(function.symbol),)), Grade("info")))  # fmt: skip
        used = {use.node for use in keyed(view, function)}
        for call in function.nodes(ast.Call):
            for default, text, where, place in _stood_in(view, call, function) if call not in used else ():
                message = f"`{where.name}` gives {text} for everybody who has no identity, and it is made a key"
                keeps = KeepsUnder(view.path(call.func, function), place)
                yield view.candidate(self.info, default, message, block=where,
                                     given=(keeps, Reachable(function.symbol)),
                                     related=(view.location(call, "the key is used here"),))  # fmt: skip
        for use in keyed(view, function):
            for leaf, where, must in _nobodys(view, use, function):
                message = (
                    f"`{function.name}` makes a key of `{ast.unparse(leaf)}`, `None` for all who are not signed in"
                )
                yield view.candidate(self.info, leaf, message, block=where, given=must, severity="warning",
                                     related=(view.location(use.node, "the key is used here"),))  # fmt: skip

    def _asked_elsewhere(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`Notes(reader_key(request))`: another file says who it is, and what is called makes a key of that."""
        for call in function.nodes(ast.Call):
            for giver, place in _asked_for(view, call, function):
                message = f"`{ast.unparse(giver)}` is one text for all without an identity, and it is made a key"
                given = (Gives(view.path(giver.func, function), "stand-in"),
                         KeepsUnder(view.path(call.func, function), place), Reachable(function.symbol))  # fmt: skip
                yield view.candidate(self.info, giver, message, block=function, given=given)


def _grades(use: Keyed, function: Block, severity: Severity = "error") -> tuple[Grade, ...]:
    """So severe; of a dictionary that an object holds, where more than one request has the object."""
    owner = function.class_
    if use.is_store or use.access.kind != "self" or owner is None:
        return (Grade(severity),)
    return Grade(severity, (SharedClass(owner.symbol),)), Grade("info")


def _made_by(view: FileView, part: ast.expr, function: Block) -> str:
    """The function that gives a part of a key, as a path: called there, or the dependency of a parameter."""
    return view.path(part.func, function) if isinstance(part, ast.Call) else _giver(view, part, function)


def _giver(view: FileView, part: ast.expr, function: Block) -> str:
    """The dotted name of that function."""
    if isinstance(part, ast.Call):
        return view.dotted(part.func)
    parameter = function.parameter(part.id) if isinstance(part, ast.Name) else None
    return (view.dependency(parameter) or "") if parameter is not None else ""


def _published(function: Block) -> Iterator[tuple[ast.expr, str, ast.expr]]:
    """What the function puts on the request, or on `g`, under a user's name: for those who come after it."""
    for assign in function.nodes(ast.Assign):
        for target in assign.targets:
            match target:
                case ast.Subscript(value=holder, slice=ast.Constant(value=str(name))):
                    pass
                case ast.Attribute(value=holder, attr=name):
                    pass
                case _:
                    continue
            if names_user(name) and chain_names(holder)[0] in ("request", "req", "g"):
                yield target, name, assign.value


def _stored(view: FileView, function: Block) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The keys of stores, and what is handed to functions that say by their names that they store something."""
    for use in keyed(view, function):
        yield use.node, use.key
    for call in function.nodes(ast.Call):
        if _STORES.match(called_name(call)) and len(call.args) + len(call.keywords) > 1:
            yield from ((call, one) for one in call.args[:1])


def _stood_in(view: FileView, call: ast.Call, function: Block) -> Iterator[tuple[ast.expr, str, Block, str]]:
    """What a function is handed instead of an identity, `store.load(session.get("id") or "default")`, with the
    function that puts it there, a helper of the file too, and which argument it is."""
    for place, value in (*enumerate(call.args), *((one.arg, one.value) for one in call.keywords if one.arg)):
        found = [] if isinstance(value, ast.Constant) else _instead(view, value, function)
        if found and not counts_only(ast.unparse(call.func)):
            yield from ((*one, str(place)) for one in found)


def _asked_for(view: FileView, call: ast.Call, function: Block) -> Iterator[tuple[ast.Call, str]]:
    """What of another file is asked who somebody is, to hand it over; and which argument it is."""
    for place, value in (*enumerate(call.args), *((one.arg, one.value) for one in call.keywords if one.arg)):
        for part in (one for one in key_parts(value, function) if isinstance(one, ast.Call)):
            says_who = _ASKED.search(called_name(part)) or person_in(called_name(part))
            if says_who and view.function_named(view.dotted(part.func)) is None:
                yield part, str(place)


def _instead(view: FileView, value: ast.expr, function: Block) -> list[tuple[ast.expr, str, Block]]:
    """The constants that the value is instead of an identity, each with the function that puts it there."""
    found = [(default, text, function) for default, text in stand_ins(view, value, function)]
    for part in key_parts(value, function):
        helper = view.function_named(_giver(view, part, function))
        if helper is not None:
            nothing: tuple[tuple[ast.expr, str], ...] = ()
            given = view.once(_given_instead, helper, meanwhile=nothing)
            found += [(default, text, helper) for default, text in given]
    return found


def _given_instead(view: FileView, function: Block) -> tuple[tuple[ast.expr, str], ...]:
    """What the function gives for everybody who has no identity."""
    given = (one.value for one in function.nodes(ast.Return) if one.value is not None)
    return tuple(found for value in given for found in stand_ins(view, value, function))


def _conversations(function: Block) -> Iterator[ast.expr]:
    """The ids under which a graph or chain finds its memory again: `{"configurable": {"thread_id": …}}`."""
    for outer in function.nodes(ast.Dict):
        for key, inner in zip(outer.keys, outer.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "configurable" and isinstance(inner, ast.Dict):
                for name, value in zip(inner.keys, inner.values, strict=True):
                    if isinstance(name, ast.Constant) and name.value in ("thread_id", "session_id"):
                        yield value


def _nobodys(view: FileView, use: Keyed, function: Block) -> Iterator[tuple[ast.expr, Block, tuple[Condition, ...]]]:
    """What in a key is `None` for all who are not signed in, and what must hold for them to get there."""
    for leaf, where in _session_users(view, use, function):
        yield leaf, where, (OpenToAll(function.symbol),)
    for leaf, where in _tornados_users(view, use, function):
        yield leaf, where, ()


def _session_users(view: FileView, use: Keyed, function: Block) -> Iterator[tuple[ast.expr, Block]]:
    """The `request.user.pk` in a key of Django, where nothing here asks whether somebody has signed in."""
    for leaf, where in through(view, use.key, function):
        parts = chain_names(leaf)
        of_request = parts[1:] in (("user", "pk"), ("user", "id")) and is_request_name(parts[0])
        if of_request and view.imports("django") and not any(_SIGNED_IN.search(one.attr) for one in _asked(view)):
            yield leaf, where


def _tornados_users(view: FileView, use: Keyed, function: Block) -> Iterator[tuple[ast.expr, Block]]:
    """The `self.current_user` in a key, where no method of the handler asks for a sign-in or looks at it."""
    owner = function.class_
    if owner is None or not any(path.startswith("tornado.") for path in view.base_paths(owner)):
        return
    methods = list(view.methods(owner))
    tests = (one.test for method in methods for one in method.nodes(ast.If, ast.IfExp))
    looked = any(
        isinstance(one, ast.Attribute) and one.attr == "current_user" for test in tests for one in ast.walk(test)
    )
    if looked or any(one.has_decorator("authenticated") or one.name == "prepare" for one in methods):
        return
    parts = [(part, function) for part in key_parts(use.key, function)]
    for part, _ in list(parts):  # `self.key()`, too
        name = ast.unparse(part.func) if isinstance(part, ast.Call) else ""
        called = next((one for one in methods if name == f"{function.receiver}.{one.name}"), None)
        for returned in called.nodes(ast.Return) if called is not None else ():
            if called is not None and returned.value is not None:
                parts += [(inner, called) for inner in key_parts(returned.value, called)]
    yield from (
        (part, where)
        for part, where in parts
        if isinstance(part, ast.Attribute) and ast.unparse(part) == f"{where.receiver}.current_user"
    )


def _asked(view: FileView) -> Iterator[ast.Attribute]:
    return (node for function in view.functions for node in function.nodes(ast.Attribute))


def _only_looks(view: FileView, use: Keyed, function: Block) -> bool:
    """Whether the function only looks whether there is something under the key, and stores nothing under it."""
    key = ast.unparse(use.key)
    return isinstance(use.node, ast.Call) and all(
        isinstance(other.node, ast.Call) and called_name(other.node) == "get"
        for other in keyed(view, function)
        if ast.unparse(other.key) == key
    )


def _opened(view: FileView, function: Block) -> Iterator[Keyed]:
    """The ids by which what was said is found again: `RedisChatMessageHistory(session_id=user)`."""
    for call in function.nodes(ast.Call):
        if _HISTORY.search(called_name(call)):
            for keyword in call.keywords:
                if keyword.arg in _IDS and not isinstance(keyword.value, ast.Constant):
                    yield Keyed(call, keyword.value, call.func, view.access(call.func, function), is_store=True)


def _optional(view: FileView, use: Keyed, function: Block) -> Iterator[ast.Call]:
    """The calls in the key that say who somebody is, and that may have nothing to say."""
    for node in key_parts(use.key, function):
        if isinstance(node, ast.Call) and (_SAYS_WHO.search(called_name(node))):
            holder = view.module.parent(node)
            tested = isinstance(holder, ast.Assign) and isinstance(holder.targets[0], ast.Name) and _is_tested(
                function, holder.targets[0].id
            )  # fmt: skip
            if not tested:
                yield node


def _defaulted(view: FileView, use: Keyed, function: Block) -> ast.expr | None:
    """The parameter of a handler that is the key, and that has a constant where the client sends nothing."""
    for node in key_parts(use.key, function):
        if (
            isinstance(node, ast.Name)
            and claimed(view, node, function)
            and (names_user(node.id) or names_session(node.id))
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
    for node in key_parts(use.key, function):
        if not isinstance(node, ast.Name) or not names_user(node.id):
            continue
        parameter = function.parameter(node.id)
        default = parameter.default if parameter is not None else None
        if isinstance(default, ast.Call):  # `Header(None)`, `Cookie(default=None)`
            named = [one.value for one in default.keywords if one.arg == "default"]
            default = next(iter((*default.args, *named)), None)
        if not isinstance(default, ast.Constant) or default.value is not None:
            continue
        if not _is_tested(function, node.id):
            return node
    return None


def _is_header(view: FileView, name: ast.expr, function: Block) -> bool:
    """Whether the parameter is a header or a cookie, which say who is asking, and no mere filter of a query."""
    parameter = function.parameter(name.id) if isinstance(name, ast.Name) else None
    return parameter is not None and view.marker(parameter).rpartition(".")[2] in ("Header", "Cookie")


def _is_tested(function: Block, name: str) -> bool:
    """Whether something in the function asks whether the name has a value, or gives it one."""
    for node in (*function.nodes(ast.If, ast.IfExp), *function.nodes(ast.Assert, ast.While)):
        if any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node.test)):
            return True
    for comparison in function.nodes(ast.Compare):
        if isinstance(comparison.left, ast.Name) and comparison.left.id == name:
            return True
    return any(one.kind == "assignment" for one in function.scope.bindings.get(name, ())[1:])
