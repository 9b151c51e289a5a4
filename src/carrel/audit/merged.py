"""What the client says, put over what the server knows: `{"user_id": user.id, **body.options}`."""

from __future__ import annotations

import ast

from carrel.audit.blocks import Block
from carrel.audit.callers import names_user, proven
from carrel.audit.file_view import FileView
from carrel.audit.sent import claimed, is_said, origins

__all__ = ["merged_over"]


def merged_over(view: FileView, call: ast.Call, function: Block) -> ast.expr | None:
    """What the client fills in under keys of its own choice, where a call is handed it over who is calling."""
    for value in (*call.args, *(one.value for one in call.keywords)):
        for made in origins(view, value, function):
            for written in (one for one in ast.walk(made) if isinstance(one, ast.Dict)):
                if (over := _put_over(view, written, function)) is not None:
                    return over
    return None


def _put_over(view: FileView, written: ast.Dict, function: Block) -> ast.expr | None:
    """What of the client's has the last word about somebody whom the dictionary names: the later item is the one."""
    said: dict[str, ast.expr | None] = {}
    for key, value in zip(written.keys, written.values, strict=True):
        if isinstance(key, ast.Constant) and names_user(str(key.value)) and proven(view, value, function):
            said[str(key.value)] = None
        elif key is None and said and _has_any_key(view, value, function):
            said = dict.fromkeys(said, value)
    return next((one for one in said.values() if one is not None), None)


def _has_any_key(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether it is a dictionary as the client sent it: the body of the request, or a field that is one."""
    for one in origins(view, node, function):
        match one:
            case ast.Attribute(value=ast.Name(id=root), attr=name) if claimed(view, one, function):
                parameter = function.parameter(root)
                model = view.annotation_path(parameter.annotation) if parameter is not None else ""
                fields = [
                    field for owner in view.classes if owner.symbol == model for field in owner.nodes(ast.AnnAssign)
                ]
                return any(
                    isinstance(field.target, ast.Name)
                    and field.target.id == name
                    and view.annotation_name(field.annotation) in ("dict", "Dict", "Mapping")
                    for field in fields
                )
            case ast.Name() if (parameter := function.parameter(one.id)) is not None:
                is_dict = view.annotation_name(parameter.annotation) in ("dict", "Dict", "Mapping")
                return is_dict and bool(claimed(view, one, function))
    return is_said(view, node, function)
