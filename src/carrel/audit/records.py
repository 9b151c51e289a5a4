"""Mappings whose keys are the names of fields, the same whoever sends them: a form, the body of a request."""

from __future__ import annotations

import ast
from itertools import takewhile
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView

__all__ = ["field_source", "is_listed", "is_record"]

_BODIES: Final = frozenset(
    {"json", "form", "post", "get_json", "body", "data", "POST", "model_dump", "dict", "to_dict"}
)
"""What gives a request's fields, as a method or as an attribute, and those of a model that it was read into."""


def is_record(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether it is a mapping from the names of fields: `{"name": name}`, `{one: form[one] for one in FIELDS}`,
    `await request.json()`, a local of that."""
    match node:
        case ast.Name(id=name) if (parameter := block.parameter(name)) is not None and parameter.kind == "**":
            return True  # what callers call it is written in the program
        case ast.Name():
            bound = block.scope.bindings.get(node.id, ())
            values = [one.value for one in bound if one.value is not None and not isinstance(one.value, ast.Name)]
            return bool(values) and all(is_record(view, one, block) for one in values)
        case ast.Await(value=inner):
            return is_record(view, inner, block)
        case ast.Dict(keys=keys):
            return bool(keys) and all(isinstance(one, ast.Constant) for one in keys)
        case ast.DictComp(key=key):
            return is_listed(view, key, block)
        case ast.Call(func=ast.Attribute(attr=name, value=inner)) | ast.Attribute(attr=name, value=inner):
            taint = view.taint(inner, block) if name in _BODIES else None
            return taint is not None and taint.by == "request"
    return False


def is_listed(view: FileView, key: ast.expr, block: Block) -> bool:
    """Whether a key is one of those that the program itself lists: `for name in FIELDS`, `if name not in FIELDS`, a
    field of a record."""
    if not isinstance(key, ast.Name):
        return False
    for around in takewhile(lambda one: not isinstance(one, ast.stmt), view.ancestors(key)):
        for part in getattr(around, "generators", ()):
            if any(isinstance(one, ast.Name) and one.id == key.id for one in ast.walk(part.target)):
                return _is_list(view, part.iter, block)
    for loop in block.nodes(ast.For):
        if any(isinstance(one, ast.Name) and one.id == key.id for one in ast.walk(loop.target)):
            source = field_source(key, block)
            return _is_list(view, loop.iter, block) or (source is not None and is_record(view, source, block))
    return any(
        isinstance(one.left, ast.Name) and one.left.id == key.id and _is_list(view, one.comparators[0], block)
        for one in block.nodes(ast.Compare) if isinstance(one.ops[0], ast.In | ast.NotIn)
    )  # fmt: skip


def _is_list(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether a container was written down with all that is in it, and never changes."""
    match node:
        case ast.Call(func=ast.Attribute(attr="items" | "keys" | "values", value=inner)):
            return _is_list(view, inner, block)
        case ast.Call(func=ast.Name(id="sorted" | "list" | "enumerate" | "tuple" | "reversed"), args=[inner, *_]):
            return _is_list(view, inner, block)
        case ast.Tuple(elts=inside) | ast.List(elts=inside) | ast.Set(elts=inside) | ast.Dict(keys=inside):
            return bool(inside) and all(isinstance(one, ast.Constant) for one in inside)
        case ast.Name() | ast.Attribute():
            access = view.access(node, block)
            owner = access.block if access.kind == "class" else access.own_class
            if owner is not None and len(access.steps) == 1:
                scope, name = owner.scope, access.steps[0]
            elif access.kind == "global" and not access.steps:
                scope, name = view.module.scope, access.name.removeprefix(f"{view.top.symbol}.")
            else:
                return False
            bound = scope.bindings.get(name, ())
            if len(bound) != 1 or bound[0].value is None or not _is_list(view, bound[0].value, block):
                return False
            return not any(one.path == access.path for each in view.mutations for one in each.accesses)
    return False


def field_source(node: ast.expr, block: Block) -> ast.expr | None:
    """The mapping whose fields go into `update(fields)`, `update({k: v for k, v in fields.items() if v})`; of the key
    `k` in `for k, v in fields.items()`, the mapping too."""
    match node:
        case ast.DictComp(key=ast.Name(id=key), generators=[ast.comprehension(target=target, iter=source)]):
            return _gone_through(key, target, source) or node
        case ast.Name():
            for loop in block.nodes(ast.For):
                mapping = _gone_through(node.id, loop.target, loop.iter)
                if mapping is not None:
                    return mapping
            return node
    return node


def _gone_through(key: str, target: ast.expr, source: ast.expr) -> ast.expr | None:
    match target, source:
        case ast.Tuple(elts=[ast.Name(id=first), _]), ast.Call(func=ast.Attribute(attr="items", value=mapping)):
            return mapping if first == key else None
    return None
