"""A cached function that finds out by itself who is asking."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import Condition, Not, SharedClass
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_CALLS, REQUEST_OBJECTS
from carrel.audit.origins import identities, says_whose
from carrel.audit.rule import Candidate, rule_page
from carrel.audit.run_conditions import ContextVariable, ReadsIdentity, ReadsRequest
from carrel.audit.through import called_here
from carrel.findings import RuleInfo

__all__ = ["MemoOverIdentity"]

_WHO: Final = re.compile(
    r"^_?(?:get|current|require|load)_(?:current_|active_|request_|authenticated_|logged_in_)*"
    r"(?:user|user_id|username|tenant|tenant_id|principal|identity|account|session_id)$"
)
_BESIDE: Final = frozenset(
    {"remote_addr", "access_route", "user_agent", "method", "scheme", "host", "host_url", "endpoint", "url_root",
     "root_url", "is_secure", "path", "base_url", "url_rule", "blueprint"}
)  # fmt: skip
"""What a request says of where it came from and where to."""
_ADDRESS: Final = frozenset({"url", "full_path", "query_string", "args", "view_args"})
_FOR_CLASS: Final = ("cached_property", "reify", "threaded_cached_property")


class MemoOverIdentity:
    """`@lru_cache` on a function without arguments that reads `flask.g.user` or a `ContextVar`."""

    info = RuleInfo(
        rule="memo-over-identity",
        code="CAR007",
        severity="error",
        title="A cached function reads who is asking",
        why="The cache knows the arguments only. The first caller's answer is kept and given to every other user who "
        "calls with the same arguments.",
        fix="Read the identity outside and pass it as an argument, so that it is part of the key.",
        page=rule_page("memo-over-identity"),
        leak_classes=(7,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            if view.is_cached(function):
                given: tuple[Condition, ...] = ()
            elif function.class_ is not None and function.has_decorator(*_FOR_CLASS):
                given = (SharedClass(function.class_.symbol),)
            else:
                continue
            keyed = _own_key(view, function)
            if any(says_whose(one.name) for one in function.parameters) or keyed is None:
                continue  # the key tells users apart, or may do so
            given += keyed
            for node, text, conditions in _asks(view, function):
                message = f"`{function.name}` is cached and reads `{text}`, which is another user's at the next call"
                yield view.candidate(self.info, node, message, block=function, given=(*given, *conditions),
                                     related=(view.location(function.node, "cached here"),))  # fmt: skip
                break
            else:
                message = f"`{function.name}` is cached, and what it calls reads who is asking"
                asks = (*given, ReadsIdentity(function.symbol))
                yield view.candidate(self.info, function.node, message, block=function, given=asks)


def _own_key(view: FileView, function: Block) -> tuple[Condition, ...] | None:
    """What must hold elsewhere for a function of its own that makes the key to leave out who asks, as the arguments do.

    `None`: it tells users apart, or another file has it, so that it may do so.
    """
    calls = (one.call for one in function.decorators if one.call is not None)
    given: list[Condition] = []
    for keyword in (one for call in calls for one in call.keywords if "key" in (one.arg or "")):
        maker = view.function_named(view.dotted(keyword.value))
        if maker is None:
            return None
        made = [one.value for one in maker.nodes(ast.Return) if one.value is not None]
        called = (called_here(view, one) for one in maker.nodes(ast.Call))
        asks = (node for block in (maker, *called) if block is not None for node, _, _ in _asks(view, block))
        if any(identities(view, one, maker, lenient=True) for one in made) or not all(
            _is_address(view, one) for one in asks
        ):
            return None
        given += [Not(ReadsIdentity(maker.symbol, itself=True)), Not(ReadsRequest(maker.symbol, shown=True))]
    return tuple(given)


def _asks(view: FileView, function: Block) -> Iterator[tuple[ast.AST, str, tuple[Condition, ...]]]:
    """The places where the function finds out who is asking, without being told."""
    for node in function.nodes(ast.Attribute, ast.Name):
        is_told = view.dotted(node) in REQUEST_OBJECTS and not _is_beside(view.module.parent(node))
        if is_told and not _is_parameter(view, node, function):
            yield node, ast.unparse(node), ()
    for call in function.nodes(ast.Call):
        dotted = view.dotted(call.func)
        if dotted in REQUEST_CALLS:
            yield call, ast.unparse(call), ()
        elif call.args or call.keywords or not dotted:
            continue
        elif isinstance(call.func, ast.Attribute) and call.func.attr == "get":
            variable = view.access(call.func.value, function)
            if variable.kind == "global" and not variable.steps:
                yield call, ast.unparse(call), (ContextVariable(variable.name),)
        # Of a function of this file more is known than its name: `get_user` may ask the operating system.
        elif _WHO.match(dotted.rpartition(".")[2]) and not any(one.symbol == dotted for one in view.functions):
            yield call, ast.unparse(call), ()


def _is_beside(read: ast.AST | None) -> bool:
    """Whether of a request only that is read which says where it came from and where to: `request.remote_addr`."""
    return isinstance(read, ast.Attribute) and read.attr in _BESIDE


def _is_address(view: FileView, node: ast.AST) -> bool:
    """Whether of a request only what it is for is read, which is the same for all who ask that."""
    read = view.module.parent(node)
    return isinstance(read, ast.Attribute) and read.attr in _ADDRESS


def _is_parameter(view: FileView, node: ast.expr, function: Block) -> bool:
    return view.access(node, function).kind == "parameter"
