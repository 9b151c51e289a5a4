"""Where a function gets an object by an id that the client sent, and whether anything asks whose it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.callers import claimed, names_user, origins, proven
from carrel.audit.chains import chain_root
from carrel.audit.file_view import FileView
from carrel.audit.held import text_of

__all__ = ["IDS", "OWNER_MEMBERS", "Fetch", "asks_whose", "fetched_model", "fetches", "is_owned_here", "names_owner"]

IDS: Final = re.compile(r"(?:^|_)(?:id|uuid|pk|guid|name|key|filename|slug)$")
"""Names of what one object is fetched by."""

OWNER_MEMBERS: Final = ("user_id", "owner_id", "owner", "user", "tenant_id", "tenant", "account_id", "created_by",
                        "author_id", "author", "org_id", "organization_id", "customer_id", "workspace_id",
                        "user_email", "username")  # fmt: skip
"""Attributes that say whose an object is."""
_OWNER: Final = frozenset(OWNER_MEMBERS)
_FETCHING: Final = re.compile(
    r"^a?_?(?:get|find|load|fetch|read|retrieve|lookup|open|resume|delete|remove|update|pop|one|scalars?|first|"
    r"hget|hgetall|query|download)(?:_[a-z0-9_]+)?$|(?:^|_)by_id$|^get_object_or_404$|^find_?one"
)
_NOT_FETCHING: Final = re.compile(r"^(?:get_(?:settings|config|logger|event_loop|running_loop)|read_text|"
                                  r"open_connection|get_type_hints|fetch_add|pop_.*context)$")  # fmt: skip
_NARROWING: Final = frozenset({"where", "filter", "filter_by", "find_one", "find_one_and_update", "get", "get_or_none",
                               "delete_one", "exclude", "aget"})  # fmt: skip
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where a word begins in a name as clients of other languages write it: `threadId`."""
_CHANGES: Final = re.compile(r"^a?_?(?:update|patch|rename)(?:_|$)")
_NAMES: Final = ("name", "filename", "slug")
"""What a changing call may be told to set, rather than what to fetch."""
_COLUMN: Final = re.compile(r"(?i)\b(?:user_id|owner_id|owner|tenant_id|account_id|created_by|org_id|workspace_id)\b")
_ASKING: Final = re.compile(
    r"(?i)check|can_|has_|require|verif|authori[sz]|permi|allow|ensure|access|assert|owner|belongs|guard|forbid|"
    r"scope|restrict|reject|validate_.*(?:user|session|token)|is_admin"
)
_WRITES_DOWN: Final = re.compile(r"^(?:debug|info|warning|warn|error|exception|critical|log|print|msg|capture|track)$")
"""Calls that keep a note of who did what, and let everybody do it."""
_MAKES: Final = re.compile(r"^a?_?(?:insert|add|create|open|start|begin|new|register|issue)(?:_\w+)?$")
_HOLDS_ALL: Final = re.compile(
    r"(?i)(?:^|_)(?:session|db|database|conn|connection|cursor|engine|client|redis|cache|pool)$"
)
_PUTS: Final = frozenset({"set", "setex", "put", "hset", "save", "aset", "set_item", "json_set"})
_ASKS_WHO: Final = re.compile(r"^_?require_(?:user|login|auth|account|member|identity|principal|signed_in)$")
"""Calls that find out who is asking, and ask nothing about the object."""


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
        if not _FETCHING.match(method) or _NOT_FETCHING.match(method):
            continue
        # `notes.update(note_id, name=payload.name)`: what is set says nothing about what is fetched.
        told = _NAMES if _CHANGES.match(method) and len(call.args) + len(call.keywords) > 1 else ()
        arguments = [*call.args, *(one.value for one in call.keywords if one.arg is not None and one.arg not in told)]
        arguments += [one for each in arguments for one in _inside(each)]
        for argument in arguments:
            name = _id(view, argument, function, named, sent=sent)
            if name:
                receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
                roots = [one for one in ast.walk(receiver) if isinstance(one, ast.Name)] if receiver is not None else []
                yield Fetch(call, argument, name, receiver, _model(view, [*arguments, *roots]), method)
                break
    for item in function.nodes(ast.Subscript):
        if isinstance(item.ctx, ast.Load) and isinstance(item.value, ast.Name | ast.Attribute):
            name = _id(view, item.slice, function, named, sent=sent)
            if name:
                yield Fetch(item, item.slice, name, item.value)


def asks_whose(view: FileView, function: Block, fetch: Fetch) -> bool:
    """Whether the function narrows the fetch to the caller, compares its owner, or has somebody check it."""
    if _tells_users(view, fetch.node, function, besides=fetch.key):
        return True
    for comparison in function.nodes(ast.Compare):
        sides = (comparison.left, *comparison.comparators)
        if any(isinstance(side, ast.Constant) and side.value is None for side in sides):
            continue
        if any(_is_whose(view, side, function) for side in sides):
            return True
    for call in function.nodes(ast.Call):
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if call is not fetch.node and _ASKING.search(called) and not _ASKS_WHO.match(called):
            return True
        if _WRITES_DOWN.match(called):
            continue
        handed = [*call.args, *(one.value for one in call.keywords)]
        if isinstance(call.func, ast.Attribute):
            handed.append(call.func.value)
        if _is_statement(view, call):  # nothing of it is shown: `notify([note.owner], {"note": note, "by": user})`
            handed = [part for one in handed for part in _parts(one)]
        # Somebody is handed the caller together with the id or with what was found.
        is_told = len(handed) > 1 and any(_tells_caller(view, one, function) for one in handed)
        if is_told and any(_is_about(view, one, function, fetch) for one in handed):
            return True
    return False


def is_owned_here(view: FileView, model: ast.expr | None = None) -> bool:
    """Whether somewhere in the file the owner of an object, of this model if given, is compared with a caller.

    Of a model it is enough that its rows are selected by their owner.
    """
    for function in view.functions:
        for comparison in function.nodes(ast.Compare):
            sides = (comparison.left, *comparison.comparators)
            owned = [side for side in sides if isinstance(side, ast.Attribute) and side.attr in _OWNER]
            if any(_is_of(view, one, function, model) for one in owned) and any(
                _is_caller(view, side, function) for side in sides
            ):
                return True
        for call in function.nodes(ast.Call):
            named = [one.value for one in call.keywords if one.arg in _OWNER] if model is not None else []
            parts = (one.id for one in ast.walk(call.func) if isinstance(one, ast.Name))
            # `Report.query.filter_by(user_id=current_user.id)`
            if any(_is_caller(view, one, function) for one in named) and ast.unparse(model or call) in parts:
                return True
    return False


def _is_of(view: FileView, node: ast.expr, function: Block, model: ast.expr | None) -> bool:
    """Whether what the attribute is read from was fetched as an object of the model: `get(Note, note_id).owner`."""
    if model is None:
        return True
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    parts = (part for made in origins(view, node, function) for part in ast.walk(made))
    return any(isinstance(part, ast.Name) and part.id == ast.unparse(model) for part in parts)


def names_owner(view: FileView, fetch: Fetch, block: Block) -> bool:
    """Whether the file stores, in what is fetched from, values that say whose they are under keys that do not."""
    receiver = fetch.receiver
    if receiver is None:
        return False
    access = view.access(receiver, block)
    path = access.path
    # The object that a handler is a method of is no store: what else it makes is of another kind.
    is_own = isinstance(receiver, ast.Name) and receiver.id == block.receiver
    # Of a class there may be objects of which nothing is said.
    of_class = fetch.model is not None and not ast.unparse(fetch.model).rpartition(".")[2].isupper()
    if not is_own and not of_class and _tells_owner(view, receiver, access, text_of(fetch.key)):
        return True
    return bool(path) and any(
        mutation.kind == "item"
        and any(one.path == path for one in mutation.accesses)
        and any(_is_caller(view, part, mutation.block) for value in mutation.values for part in _parts(value))
        and not any(proven(view, key, mutation.block) for key in mutation.keys)
        for mutation in view.mutations
    )


def _tells_owner(view: FileView, receiver: ast.expr, access: Access, key: str) -> bool:
    """Whether somebody in the file tells the same store whose a new object is: `sessions.open(user.id, …)`.

    Where objects of many kinds are in one store, only those under the same key count: `f"slip:{number}"`.
    """
    text = ast.unparse(receiver)
    holds_all = _HOLDS_ALL.search(text.rpartition(".")[2]) is not None
    for function in view.functions:
        for call in function.nodes(ast.Call):
            if not isinstance(call.func, ast.Attribute):
                continue
            method = call.func.attr
            by_key = method in _PUTS and len(call.args) > 1 and not proven(view, call.args[0], function)
            if by_key and text_of(call.args[0]) != key:
                continue
            if not by_key and (holds_all or not _MAKES.match(method)):
                continue
            store = call.func.value
            other = view.access(store, function)
            # `request.app["sessions"]` is the same for all handlers, as a local of the same name is not.
            same = access.kind == "parameter" and "app" in access.steps and access.steps == other.steps
            if ast.unparse(store) != text or not (same or (access.path and access.path == other.path)):
                continue
            handed = [*call.args[1 if by_key else 0 :], *(one.value for one in call.keywords)]
            if any(_is_caller(view, part, function) for one in handed for part in _parts(one)):
                return True
    return False


def fetched_model(view: FileView, function: Block) -> str:
    """The dotted name of the class whose object the function fetches by a parameter, and by nothing else."""
    named = [one.name for one in function.parameters if IDS.search(one.name.lower()) and not names_user(one.name)]
    if len(named) != 1 or not any(one.value is not None for one in function.nodes(ast.Return)):
        return ""
    for fetch in fetches(view, function, IDS, sent=False):
        if fetch.model is not None:
            return "" if asks_whose(view, function, fetch) else view.dotted(fetch.model)
    return ""


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


def _tells_users(view: FileView, node: ast.expr, function: Block, *, besides: ast.expr) -> bool:
    for part in ast.walk(node):
        if part is besides or not isinstance(part, ast.expr):
            continue
        if isinstance(part, ast.Attribute) and part.attr in _OWNER:
            return True
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and _COLUMN.search(part.value):
            return True
        if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) and _is_caller(view, part, function):
            return True
        # A view narrows its own queryset once, for all that it does.
        if isinstance(part, ast.Attribute) and part.attr == "get_queryset":
            return True
        # `user__isnull=True` narrows it down to what nobody owns.
        if isinstance(part, ast.Call) and any((one.arg or "").partition("__")[0] in _OWNER for one in part.keywords):
            return True
    return False


def _is_whose(view: FileView, node: ast.expr, function: Block) -> bool:
    if isinstance(node, ast.Attribute) and node.attr in _OWNER:
        return True
    return _is_caller(view, node, function)


def _is_caller(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether the expression stands for who is calling: proven, or by its name."""
    if isinstance(node, ast.Name) and names_user(node.id):
        return True
    if isinstance(node, ast.Attribute) and names_user(node.attr):
        return True
    return (
        proven(view, node, function) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) else False
    )


def _is_statement(view: FileView, call: ast.Call) -> bool:
    around = view.module.parent(call)
    return isinstance(view.module.parent(around) if isinstance(around, ast.Await) else around, ast.Expr)


def _tells_caller(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether what is handed over stands for who is calling, or is a part of it: `current_user.identifier`."""
    root = chain_root(node)
    is_part = isinstance(root, ast.Name) and names_user(root.id) and function.parameter(root.id) is not None
    return is_part or _is_caller(view, node, function)


def _is_about(view: FileView, node: ast.expr, function: Block, fetch: Fetch) -> bool:
    """Whether the expression is the id, or what was fetched by it."""
    text = ast.unparse(fetch.key)
    sent_in = fetch.key.value if isinstance(fetch.key, ast.Attribute) else fetch.key
    for part in _parts(node):
        if ast.unparse(part) in (text, ast.unparse(sent_in)):
            return True
        for one in origins(view, part, function):
            if one is fetch.node or (isinstance(one, ast.Await) and one.value is fetch.node):
                return True
            # What is made with the id is about it: `Change.model_validate({"id": note_id, **fields})`.
            told = _parts(one) if _makes_object(view, one) else (one,)
            if any(ast.unparse(each) == text for each in told):
                return True
    return False


def _makes_object(view: FileView, node: ast.expr) -> bool:
    """Whether the call makes an object of a class, by its name or by a constructor of it."""
    return isinstance(node, ast.Call) and any(part[:1].isupper() for part in view.dotted(node.func).split(".")[-2:])


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Tuple() | ast.List():
            for one in node.elts:
                yield from _parts(one)
        case ast.Dict():
            for one in node.values:
                yield from _parts(one)
        case ast.Call():
            for one in (*node.args, *(each.value for each in node.keywords)):
                yield from _parts(one)
            yield node
        case ast.Await():
            yield from _parts(node.value)
        case _:
            yield node
