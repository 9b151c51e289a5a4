"""Whose the objects of a class are, as its body says it."""

from __future__ import annotations

import ast
import re
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["owner_field"]

_USERS: Final = re.compile(
    r"(?i)(?:^|[._])(?:auth_?)?users?(?:\.\w+)?$|AUTH_USER_MODEL$|get_user_model\(\)$|accounts?\.id$"
)
_LINKS: Final = frozenset({"ForeignKey", "OneToOneField"})
_NOT_OWNING: Final = re.compile(r"(?:^|_)(?:by|editor|reviewer|assignee|approver|moderator)(?:_id)?$")
"""Somebody who did something with the object; the object is not theirs."""


def owner_field(view: FileView, owner: Block) -> str:
    """The attribute that links an object to the user whose it is, and with whom it goes; empty when there is none."""
    if not view.imports("django", "sqlalchemy", "flask_sqlalchemy", "sqlmodel", "tortoise", "peewee"):
        return ""
    for node in owner.nodes(ast.Assign, ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name) or _NOT_OWNING.search(target.id) or node.value is None:
            continue
        if any(_links_to_user(one) for one in ast.walk(node.value) if isinstance(one, ast.Call)):
            return target.id
    return ""


def _links_to_user(call: ast.Call) -> bool:
    named = {one.arg: one.value for one in call.keywords}
    if "foreign_key" in named:  # of SQLModel
        return _is_user(named["foreign_key"])
    if called_name(call) not in _LINKS:
        return False
    linked = call.args[0] if call.args else named.get("to")
    deleted = named.get("on_delete")
    # Who merely did something is set to null when they go.
    goes = deleted is None or ast.unparse(deleted).endswith("CASCADE")
    return linked is not None and goes and _is_user(linked)


def _is_user(node: ast.expr) -> bool:
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)
    return _USERS.search(text) is not None
