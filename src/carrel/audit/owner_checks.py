"""Whether anything asks whose an object is that was fetched by an id."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.admission import guards, is_sign_in
from carrel.audit.blocks import Block
from carrel.audit.callers import names_user, proves
from carrel.audit.chains import chain_names, chain_root
from carrel.audit.conditions import Condition, Not
from carrel.audit.data_conditions import ChecksRights, DecidesItself
from carrel.audit.depending import run_before
from carrel.audit.fetches import IDS, Fetch, fetches
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import DECORATED
from carrel.audit.origins import called_name
from carrel.audit.owners import OWNERS, is_caller, parts, unconverted
from carrel.audit.said_checks import SELECTS, is_made_for
from carrel.audit.sent import SAID, claimed, is_request, origins, spine
from carrel.audit.tagged import names_scope
from carrel.audit.through import called_here

__all__ = ["asks_whose", "fetched_model", "unless_asked"]

_COLUMN: Final = re.compile(r"(?i)\b(?:user_id|owner_id|owner|tenant_id|account_id|created_by|org_id|workspace_id)\b")
_ASKING: Final = re.compile(
    r"(?i)check|can_|has_|require|verif|(?<!un)(?<!not)authori[sz]|permi|allow|ensure|access|assert|owner|belongs|guard|forbid|"
    r"(?:get|find|fetch|load|user|caller)_(?:\w+_)?(?:roles?|membership|privileges?)(?:_|$)|scope|restrict|reject|validate_.*(?:user|session|token)|is_admin"
)
_FIRST: Final = ("dispatch", "initial", "prepare")
"""Methods of views that frameworks call before the one that is asked for."""
_AUTHENTICATES: Final = re.compile(r"^_?authenticate(?:_|$)")
"""Calls that prove who asks: that they belong to what was fetched, where they are handed it."""
_WRITES_DOWN: Final = re.compile(r"^(?:debug|info|warning|warn|error|exception|critical|log|print|msg|capture|track)$")
"""Calls that keep a note of who did what, and let everybody do it."""
_FOR_CALLER: Final = re.compile(
    r"(?i)or_403|(?:^|_)(?:for_(?:current_)?(?:user|member|caller|request|me)|owned|visible|accessible|permitted|allowed|authori[sz]ed)(?:_|$)"
)
"""A fetch that says by its name that it gives only what the caller may have."""
_ANY: Final = re.compile("")
_DEPTH: Final = 3
_ASKS_WHO: Final = re.compile(r"^_?require_(?:user|login|auth|account|member|identity|principal|signed_in)$")
"""Calls that find out who is asking, and ask nothing about the object."""


def asks_whose(view: FileView, function: Block, fetch: Fetch) -> bool:
    """Whether the function narrows the fetch to the caller, compares its owner, or has somebody check it."""
    if _is_for_caller(view, function, fetch):
        return True
    for comparison in function.nodes(ast.Compare):
        sides = (comparison.left, *comparison.comparators)
        if any(isinstance(side, ast.Constant) and side.value is None for side in sides):
            continue
        if any(_is_whose(view, side, function) for side in sides):
            return True
    none: tuple[str, ...] = ()
    if any(fetch.name in view.once(_asked_by, one, meanwhile=none) for one in _called(view, function)):
        return True
    return any(_checks(view, call, function, fetch) for call in function.nodes(ast.Call))


def _checks(view: FileView, call: ast.Call, function: Block, fetch: Fetch) -> bool:
    """Whether a call says that it checks, or is handed who is asking, and beside it the id or what was found."""
    called = called_name(call)
    if call is not fetch.node and _ASKING.search(called) and not _ASKS_WHO.match(called):
        return True
    if _WRITES_DOWN.match(called):
        return False
    handed = [*call.args, *(one.value for one in call.keywords)]
    if _AUTHENTICATES.match(called) and any(_is_about(view, one, function, fetch) for one in handed):
        return True
    if isinstance(call.func, ast.Attribute):
        handed.append(call.func.value)
    if _is_statement(view, call):  # nothing of it is shown: `notify([note.owner], {"note": note, "by": user})`
        handed = [part for one in handed for part in parts(one)]
    told = [one for one in handed if _tells_caller(view, one, function)] if len(handed) > 1 else []
    callers = [one for one in told if not _is_said_by(view, one, function, fetch)]
    beside = (one for one in handed if callers and callers != [one])
    return any(_is_about(view, one, function, fetch) for one in beside)


def _called(view: FileView, function: Block) -> Iterator[Block]:
    """The other functions of the file that the function calls."""
    found = (called_here(view, call) for call in function.nodes(ast.Call))
    return (one for one in found if one is not None and one is not function)


def _asked_by(view: FileView, helper: Block) -> tuple[str, ...]:
    """The names of the ids sent by the client of which the function itself asks whose they are."""
    return tuple(one.name for one in fetches(view, helper, _ANY) if one.name and asks_whose(view, helper, one))


def _is_for_caller(view: FileView, function: Block, fetch: Fetch) -> bool:
    """Whether the fetch itself asks only for what the caller may have: it is handed who that is, says so by its name,
    is of what was made or found for them, or narrows that down.
    """
    receiver = chain_root(fetch.receiver) if fetch.receiver is not None else None
    return (
        _FOR_CALLER.search(fetch.method) is not None
        or _tells_users(view, fetch.node, function, besides=fetch.key)
        or (receiver is not None and is_made_for(view, receiver, function))
        or _only_narrows(view, function, fetch)
    )


def unless_asked(view: FileView, function: Block, fetch: Fetch) -> tuple[Condition, ...]:
    """What must hold besides: that what the function calls to fetch does not find out by itself who is asking, and
    what makes that from which it fetches neither: `wiki = wiki_of(request)` and then `wiki.page(page_id)`. And that
    nothing which stands before the function, or is handed the id or the object, refuses those who may not.
    """
    called = fetch.node.value if isinstance(fetch.node, ast.Await) else fetch.node
    asked = [called.func] if isinstance(called, ast.Call) else []
    for made in origins(view, fetch.receiver, function) if fetch.receiver is not None else ():
        call = made.value if isinstance(made, ast.Await) else made
        if isinstance(call, ast.Call):
            asked.append(call.func)
    by_itself = tuple(Not(DecidesItself(path)) for one in asked if (path := view.path(one, function)))
    paths = (*_handed_on(view, function, fetch), *_before(view, function))
    depending = tuple(Not(ChecksRights(path, fetch.name)) for path in run_before(view, function))
    return by_itself + tuple(Not(ChecksRights(path)) for path in dict.fromkeys(paths)) + depending


def _before(view: FileView, function: Block) -> Iterator[str]:
    """What runs before the function and is told all that it is: decorators, and what its class does for all methods."""
    for decorator in guards(view, function):
        if decorator.dotted and decorator.name not in DECORATED and not is_sign_in(decorator.name):
            yield decorator.dotted
    if function.class_ is not None:
        yield from (f"{function.class_.symbol}().{one}" for one in _FIRST)


def _handed_on(view: FileView, function: Block, fetch: Fetch) -> Iterator[str]:
    """What fetches, and what is called with the id or what was fetched, `cancel(build)`, and the own methods of that,
    `invite.send()`: as paths.
    """
    assigned = next((one for one in view.ancestors(fetch.node) if not isinstance(one, ast.Await)), None)
    names = {one.id for one in getattr(assigned, "targets", ()) if isinstance(one, ast.Name)}
    if isinstance(fetch.key, ast.Name):
        names.add(fetch.key.id)
    for call in function.nodes(ast.Call):
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(receiver, ast.Name) and receiver.id in names:
            if fetch.model is not None:
                yield f"{view.dotted(fetch.model)}.{called_name(call)}"
        elif any(isinstance(one, ast.Name) and one.id in names
                 for one in (*call.args, *(named.value for named in call.keywords))):  # fmt: skip
            path = view.path(call.func, function)
            if path:
                yield path


def fetched_model(view: FileView, function: Block) -> str:
    """The dotted name of the class whose object the function fetches by a parameter, and by nothing else."""
    named = [one.name for one in function.parameters if IDS.search(one.name.lower()) and not names_user(one.name)]
    if len(named) != 1 or not any(one.value is not None for one in function.nodes(ast.Return)):
        return ""
    for fetch in fetches(view, function, IDS, sent=False):
        if fetch.model is not None:
            return "" if asks_whose(view, function, fetch) else view.dotted(fetch.model)
        given = view.annotation_path(getattr(function.node, "returns", None))
        if given.rpartition(".")[2][:1].isupper():
            return "" if asks_whose(view, function, fetch) else given
    return ""


def _tells_users(view: FileView, node: ast.expr, function: Block, *, besides: ast.expr) -> bool:
    for part in ast.walk(node):
        if part is besides or not isinstance(part, ast.expr):
            continue
        if isinstance(part, ast.Attribute) and part.attr in OWNERS:
            return True
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and _COLUMN.search(part.value):
            return True
        if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) and is_caller(view, part, function):
            return True
        if isinstance(part, ast.Call) and part is not node and proves(view, part, function):
            return True  # `sessions.get((caller(), session_id))`
        # A view narrows its own queryset once, for all that it does.
        if isinstance(part, ast.Attribute) and part.attr == "get_queryset":
            return True
        if isinstance(part, ast.Call) and any(_narrows(view, one, function) for one in part.keywords):
            return True
        if isinstance(part, ast.Attribute) and names_scope(part.attr) and _is_set(view, part, function):
            return True  # `Note.team == request.team`
    return False


def _narrows(view: FileView, keyword: ast.keyword, function: Block) -> bool:
    """Whether a keyword asks for somebody's: `user__isnull=True` for nobody's, `queue__team=request.team`."""
    way = (keyword.arg or "").split("__")
    said = (claimed(view, one, function) for one in origins(view, keyword.value, function))
    within = is_made_for(view, keyword.value, function)  # `project = mine(user)` and then `project=project`
    return within or not OWNERS.isdisjoint(way) or (any(map(names_scope, way)) and not any(said))


def _is_set(view: FileView, node: ast.Attribute, function: Block) -> bool:
    """Whether the server has put it on the request, as the client cannot."""
    parts = chain_names(node)
    return SAID.isdisjoint(parts) and (parts[0] == "g" or is_request(view, chain_root(node), function))


def _is_whose(view: FileView, node: ast.expr, function: Block) -> bool:
    inner = unconverted(node)
    if isinstance(inner, ast.Attribute) and inner.attr in OWNERS:
        return True
    # `str(note.owner)` and `signed_in(request)` look the same.
    return is_caller(view, inner, function) or is_caller(view, node, function)


def _only_narrows(view: FileView, function: Block, fetch: Fetch) -> bool:
    """Whether what is found narrows down what is the caller's own: `Report.of(user).filter(sheet__in=sheets)`."""
    found = {fetch.node}
    names: set[str] = set()
    for _ in range(_DEPTH):
        for assign in function.nodes(ast.Assign):
            if any(one in found or (isinstance(one, ast.Name) and one.id in names) for one in ast.walk(assign.value)):
                names.update(one.id for one in assign.targets if isinstance(one, ast.Name))
    for call in function.nodes(ast.Call) if names else ():
        if called_name(call) in SELECTS and isinstance(call.func, ast.Attribute):
            asked = [one for one in spine(call.func.value) if isinstance(one, ast.Call)]
            told = (value for one in asked for value in (*one.args, *(each.value for each in one.keywords)))
            handed = (part for one in (*call.args, *call.keywords) for part in ast.walk(one))
            is_narrowed = any(isinstance(one, ast.Name) and one.id in names for one in handed)
            if is_narrowed and any(is_caller(view, one, function) for one in told):
                return True
    return False


def _is_statement(view: FileView, call: ast.Call) -> bool:
    around = view.module.parent(call)
    return isinstance(view.module.parent(around) if isinstance(around, ast.Await) else around, ast.Expr)


def _tells_caller(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether what is handed over stands for who is calling, or is a part of it: `current_user.identifier`."""
    root = chain_root(node)
    is_part = isinstance(root, ast.Name) and names_user(root.id) and function.parameter(root.id) is not None
    return is_part or is_caller(view, node, function)


def _is_said_by(view: FileView, node: ast.expr, function: Block, fetch: Fetch) -> bool:
    """Whether it is what was fetched, or a part of it that does not say whose it is: `lesson.subject`."""
    if isinstance(node, ast.Call):  # `answer(channel, text)` of a `channel` that is made with a user elsewhere
        handed = [
            one for one in (*node.args, *(each.value for each in node.keywords)) if _tells_caller(view, one, function)
        ]
        return bool(handed) and all(_is_said_by(view, one, function, fetch) for one in handed)
    root = chain_root(node)
    is_it = isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and node.attr not in OWNERS)
    return is_it and any(one is fetch.node for one in origins(view, root, function))


def _is_about(view: FileView, node: ast.expr, function: Block, fetch: Fetch) -> bool:
    """Whether the expression is the id, or what was fetched by it, or a part of that: `note.shelf_id`."""
    sent_in = fetch.key.value if isinstance(fetch.key, ast.Attribute) else fetch.key
    # `docs.find(doc_id, shelf_id)` is asked for by the shelf, too.
    names = (one for one in ast.walk(fetch.node) if isinstance(one, ast.Name))
    beside = [one for one in names if any(claimed(view, each, function) for each in origins(view, one, function))]
    keys = [ast.unparse(one) for one in (fetch.key, sent_in, *beside)]
    for part in parts(node):
        whole = chain_root(part) if isinstance(part, ast.Attribute) else part
        if ast.unparse(part) in keys or ast.unparse(whole) in keys:
            return True
        for one in origins(view, whole, function):
            if one is fetch.node or (isinstance(one, ast.Await) and one.value is fetch.node):
                return True
            # What is made with the id is about it: `Change.model_validate({"id": note_id, **fields})`.
            told = parts(one) if _makes_object(view, one) else (one,)
            if any(ast.unparse(each) in keys[:1] for each in told):
                return True
    return False


def _makes_object(view: FileView, node: ast.expr) -> bool:
    """Whether the call makes an object of a class, by its name or by a constructor of it."""
    return isinstance(node, ast.Call) and any(part[:1].isupper() for part in view.dotted(node.func).split(".")[-2:])
