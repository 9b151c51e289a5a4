"""Where a function gets an object by an id."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.held import text_of
from carrel.audit.sent import claimed, origins

__all__ = ["IDS", "Fetch", "fetches"]

IDS: Final = re.compile(r"(?:^|_)(?:id|uuid|pk|guid|name|key|filename|slug)$")
"""Names of what one object is fetched by."""

_FETCHING: Final = re.compile(
    r"^a?_?(?:get|find|load|fetch|read|retrieve|lookup|open|resume|delete|remove|update|pop|one|scalars?|first|"
    r"hget|hgetall|query|download|fetch_?(?:row|one|val)|rejoin|reattach)(?:_[a-z0-9_]+)?$|(?:^|_)by_id$|^\w+_or_404$|^find_?one"
)
_NOT_FETCHING: Final = re.compile(r"^(?:get_(?:settings|config|logger|event_loop|running_loop)|read_text|"
                                  r"open_connection|get_type_hints|fetch_add|pop_.*context|"
                                  r"get_\w+_(?:roles?|membership|privileges?|permissions?))$")  # fmt: skip
_ANY: Final = re.compile("")
_ROW: Final = re.compile(
    r"(?is)\s*select\b.*\bwhere\s+(?:\w+\.)?id\s*=\s*(?:%s|\?|:\w+|\$\d)\s*(?:;|limit\b.*|for\b.*)?$"
)
"""A statement that selects by an id and by nothing else."""
_NARROWING: Final = frozenset({"where", "filter", "filter_by", "find_one", "find_one_and_update", "get", "get_or_none",
                               "delete_one", "exclude", "aget"})  # fmt: skip
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where a word begins in a name as clients of other languages write it: `threadId`."""
_CHANGES: Final = re.compile(r"^a?_?(?:update|patch|rename)(?:_|$)")
_NAMES: Final = ("name", "filename", "slug")
"""What a changing call may be told to set, rather than what to fetch."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One object that is fetched by an id."""

    node: ast.expr
    """The whole expression, with everything that narrows it down."""
    key: ast.expr
    name: str
    """Of the id, as the client sent it or the parameter has it."""
    receiver: ast.expr | None
    """What it is fetched from, where it has a name."""
    model: ast.expr | None = None
    """The class that is fetched, where the call says it."""
    method: str = ""


def fetches(view: FileView, function: Block, named: re.Pattern[str], *, sent: bool = True) -> Iterator[Fetch]:
    """The fetches by a single id whose name matches; `sent`: only ids that the client sent to this entry point."""
    for call in function.nodes(ast.Call):
        method = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if method in _NARROWING:
            found = _narrowed(view, call, function, named, sent=sent)
            if found is not None:
                yield found
                continue
        is_fetching = _FETCHING.match(method) is not None and _NOT_FETCHING.match(method) is None
        by_id = named.search("id") is not None and _asks_for_row(call)
        if not is_fetching and not _joins(call) and not by_id:
            continue
        # `notes.update(note_id, name=payload.name)`: what is set says nothing about what is fetched.
        told = _NAMES if _CHANGES.match(method) and len(call.args) + len(call.keywords) > 1 else ()
        arguments = [*call.args, *(one.value for one in call.keywords if one.arg is not None and one.arg not in told)]
        arguments += [one for each in arguments for one in _inside(each)]
        for argument in arguments:
            # A statement says itself that it selects by an id, whatever that is called here.
            receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
            name = _id(view, argument, function, _ANY if by_id else named, sent=sent)
            if not name and named.search("id") is not None:
                name = _one_of(view, argument, function, receiver, sent=sent)
            if name:
                roots = [one for one in ast.walk(receiver) if isinstance(one, ast.Name)] if receiver is not None else []
                yield Fetch(call, argument, name, receiver, _model(view, [*arguments, *roots]), method)
                break
    for item in function.nodes(ast.Subscript):
        if isinstance(item.ctx, ast.Load) and isinstance(item.value, ast.Name | ast.Attribute):
            name = _id(view, item.slice, function, named, sent=sent)
            if name:
                yield Fetch(item, item.slice, name, item.value)


def _joins(call: ast.Call) -> bool:
    """Whether it takes part in what goes on already: `desk.join(room)`, and not the `join` of texts or paths."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "join" or len(call.args) != 1:
        return False
    return not isinstance(call.func.value, ast.Constant) and "path" not in ast.unparse(call.func)


def _asks_for_row(call: ast.Call) -> bool:
    """Whether a statement selects a row: `execute("SELECT … WHERE id = ?", (note_id,))`."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr.startswith(("execute", "fetch"))
        and bool(call.args)
        and _ROW.match(text_of(call.args[0])) is not None
    )


def _narrowed(view: FileView, call: ast.Call, function: Block, named: re.Pattern[str], *, sent: bool) -> Fetch | None:
    """`.where(Thread.id == thread_id)`, `.filter_by(id=thread_id)`, `find_one({"_id": thread_id})`."""
    values: list[ast.expr] = [one.value for one in call.keywords if one.arg in ("id", "pk", "uuid", "_id")]
    model: ast.expr | None = None
    for argument in call.args:
        if isinstance(argument, ast.Compare) and len(argument.comparators) == 1 and isinstance(argument.ops[0], ast.Eq):
            values += [argument.left, argument.comparators[0]]
            model = next((one.value for one in (argument.left, argument.comparators[0])
                          if isinstance(one, ast.Attribute)), None)  # fmt: skip
        elif isinstance(argument, ast.Dict):
            values += argument.values
    for value in values:
        name = _id(view, value, function, named, sent=sent)
        if name:
            whole: ast.AST = call
            for around in view.ancestors(call):
                if not isinstance(around, ast.Attribute | ast.Call | ast.Await):
                    break
                whole = around
            receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
            inner = receiver
            while isinstance(inner, ast.Attribute | ast.Call):
                if isinstance(inner, ast.Call) and inner.args and model is None:
                    model = inner.args[0]
                inner = inner.value if isinstance(inner, ast.Attribute) else inner.func
            assert isinstance(whole, ast.expr)
            if model is None and inner is not None:
                model = _model(view, [inner])  # `Note.objects.get(pk=note_id)`
            return Fetch(whole, value, name, receiver, model, "where")
    return None


def _id(view: FileView, node: ast.expr, function: Block, named: re.Pattern[str], *, sent: bool) -> str:
    """The name of the id that the expression is, when it is one."""
    if isinstance(node, ast.Constant):
        return ""
    found = list(origins(view, node, function))
    if len(found) != 1:
        return ""
    if sent:
        name = claimed(view, found[0], function)
    else:
        name = found[0].id if isinstance(found[0], ast.Name) and function.parameter(found[0].id) else ""
    return name if named.search(_HUMP.sub("_", name).lower().replace("-", "_")) else ""


def _one_of(view: FileView, node: ast.expr, function: Block, store: ast.expr | None, *, sent: bool) -> str:
    """The name of what the client sent, where it is called as what the store holds: `visits.find(visit)`."""
    held = ast.unparse(store).rpartition(".")[2].strip("_()") if store is not None else ""
    name = _id(view, node, function, _ANY, sent=sent) if held.endswith("s") else ""
    return name if name and held in (f"{name}s", f"{name}es", f"{name[:-1]}ies") else ""


def _model(view: FileView, arguments: list[ast.expr]) -> ast.expr | None:
    """The class among the arguments, or at the root of what the method is called on: `Note.query.get(…)`."""
    named = (one for one in arguments if isinstance(one, ast.Name | ast.Attribute))
    return next((one for one in named if view.dotted(one).rpartition(".")[2][:1].isupper()), None)


def _inside(argument: ast.expr) -> list[ast.expr]:
    """The parameters of a statement: `{"id": note_id}`, `(note_id,)`."""
    match argument:
        case ast.Dict():
            return argument.values
        case ast.Tuple() | ast.List():
            return argument.elts
    return []
