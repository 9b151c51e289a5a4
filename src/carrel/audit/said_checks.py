"""What shows that who the client says somebody is harms nobody: it is compared with who is calling, or is another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.admission import is_refusal
from carrel.audit.blocks import Block
from carrel.audit.callers import names_user, proven
from carrel.audit.chains import chain_root
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name
from carrel.audit.persons import person_in
from carrel.audit.sent import claimed, origins

__all__ = [
    "COMPARES",
    "SELECTS",
    "is_another",
    "is_compared",
    "is_filter",
    "is_made_for",
    "is_owner_compared",
    "is_refused",
    "is_within",
    "looks_up_person",
]

COMPARES: Final = re.compile(r"(?i)check|verif|authori|ensure|resolve|scope|require|assert|permi|valid")
"""Calls that compare what they are handed with who is calling, or find out what the caller may."""
_CHECKS: Final = re.compile(
    r"^_?(?:is_)?(?:allowed|can|check|require|authori[sz]e)(?:_|d|$)|^_?has_(?:\w+_)?permission"
)
_GROUP: Final = re.compile(r"(?i)(?:^|_)(?:org|organi[sz]ation|team|company|account|customer)(?:_?id)?$")
_SIGNS_IN: Final = re.compile(
    r"(?i)^(?:x[-_])?(?:authori[sz]ation|(?:access_|auth_|bearer_|user_)?token|jwt|credentials)$"
)
SELECTS: Final = frozenset({"where", "filter", "filter_by"})
"""Methods that ask for rows."""


def is_compared(view: FileView, function: Block, name: str) -> bool:
    """Whether the function compares what is said with something: with the user that the token proves, we hope."""
    for comparison in function.nodes(ast.Compare):
        around = view.module.parent(comparison)
        if isinstance(around, ast.Call) and called_name(around) in SELECTS:
            continue  # `where(Row.user_id == user_id)` asks for rows
        sides = (comparison.left, *comparison.comparators)
        if any(isinstance(side, ast.Constant) for side in sides):
            continue
        if any(claimed(view, one, function) == name for side in sides for one in origins(view, side, function)):
            return True
    for call in function.nodes(ast.Call):
        handed = [*call.args, *(one.value for one in call.keywords)]
        if not any(_stands_for(view, one, function, name) for one in handed):
            continue
        # What is stored along with it, `{"by": claims["sub"]}`, is not compared with it.
        beside = (one for one in handed if not isinstance(one, ast.Dict))
        if COMPARES.search(called_name(call)) or any(proven(view, one, function) for one in beside):
            return True
        # `Messages(db, user).search(author=user_id)` knows who is asking.
        if isinstance(call.func, ast.Attribute) and is_made_for(view, call.func.value, function):
            return True
    return False


def is_another(view: FileView, found: ast.expr, function: Block) -> bool:
    """Whether what is asked for is somebody's who is not asking, whoever that is, or is compared with who is."""
    return looks_up_person(view, found) or is_within(view, found, function) or is_owner_compared(view, found, function)


def is_owner_compared(view: FileView, found: ast.expr, function: Block) -> bool:
    """Whether something of what is found is compared with who is calling: `if row.user_id != user.id`."""
    for comparison in function.nodes(ast.Compare):
        sides = (comparison.left, *comparison.comparators)
        for side in sides:
            made = (
                one.value if isinstance(one, ast.Await) else one for one in origins(view, chain_root(side), function)
            )
            if found in made and any(proven(view, one, function) for one in sides if one is not side):
                return True
    return False


def is_filter(function: Block, key: ast.expr, name: str) -> bool:
    """Whether it is a group that may be left out, `organisation_id: int | None = None`: else it is about all."""
    if not _GROUP.search(name):
        return False
    parameter = function.parameter(key.id) if isinstance(key, ast.Name) else None
    match parameter.default if parameter is not None else None:
        case ast.Constant(value=None):
            return True
        case ast.Call(func=ast.Name(id="Query") | ast.Attribute(attr="Query")) as query:
            given = [*query.args[:1], *(one.value for one in query.keywords if one.arg == "default")]
            return any(isinstance(one, ast.Constant) and one.value is None for one in given)
    return False


def _stands_for(view: FileView, node: ast.expr, function: Block, name: str) -> bool:
    """Whether it is what the client says under this name, or the user who is looked up by it."""
    for one in origins(view, node, function):
        found = one.value if isinstance(one, ast.Await) else one
        handed = [*found.args, *(each.value for each in found.keywords)] if isinstance(found, ast.Call) else []
        said = (one, *(handed if looks_up_person(view, found) else ()))
        if any(claimed(view, each, function) == name for each in said):
            return True
    return False


def looks_up_person(view: FileView, node: ast.expr) -> bool:
    """Whether it is a call that is handed a class of people, or of groups, or is of one:
    `get_object_or_404(User, id=user_id)`, `User.query.get(user_id)`.
    """
    handed = [*node.args, chain_root(node.func)] if isinstance(node, ast.Call) else []
    classes = (view.dotted(one).rpartition(".")[2] for one in handed)
    return any(one[:1].isupper() and (person_in(one) or _GROUP.search(one)) for one in classes)


def is_within(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether a call is handed an id of something else, too, which was checked: `chats.search(chat_id, user_id)`."""
    handed = (*node.args, *(one.value for one in node.keywords)) if isinstance(node, ast.Call) else ()
    names = (claimed(view, part, function) for one in handed for part in origins(view, one, function))
    return any(name.endswith("_id") and not names_user(name) and is_compared(view, function, name) for name in names)


def is_made_for(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether it is an object that was made with who is calling, or with what they sign in with: `Messages(db, user)`,
    `Api(token=authorization)`.
    """
    for one in origins(view, node, function):
        handed = [*one.args, *(named.value for named in one.keywords)] if isinstance(one, ast.Call) else []
        for each in handed:
            signs_in = (claimed(view, part, function) for part in origins(view, each, function))
            if proven(view, each, function) or any(map(_SIGNS_IN.match, signs_in)):
                return True
    return False


def is_refused(view: FileView, choice: ast.expr, function: Block) -> bool:
    """Whether a 403 may come of the chosen value: of a check, `allowed_for(org_id)`, or of `asked != user.id`."""
    parent = view.module.parent(choice)
    chosen = ast.unparse(parent.targets[0] if isinstance(parent, ast.Assign) else choice)
    checks = [one for one in _compared_or_checked(function) if chosen in map(ast.unparse, _parts_of(one))]
    for check in checks:
        around = view.module.parent(check)
        kept = ast.unparse(around.targets[0]) if isinstance(around, ast.Assign) else ast.unparse(check)
        for one in function.nodes(ast.If):
            if kept in ast.unparse(one.test) and any(map(is_refusal, one.body)):
                return True
    return False


def _compared_or_checked(function: Block) -> Iterator[ast.Call | ast.Compare]:
    yield from (call for call in function.nodes(ast.Call) if _CHECKS.search(called_name(call)))
    for one in function.nodes(ast.Compare):
        if not isinstance(one.comparators[-1], ast.Constant):
            yield one


def _parts_of(check: ast.Call | ast.Compare) -> tuple[ast.expr, ...]:
    if isinstance(check, ast.Compare):
        return (check.left, *check.comparators)
    return (*check.args, *(one.value for one in check.keywords))
