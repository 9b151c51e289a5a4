"""Stores of documents that are kept with their owner."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["names_scope", "statement", "store_path", "tagged_stores"]

_SCOPE: Final = re.compile(r"(?i)^(?:user|tenant|org|organi[sz]ation|owner|customer|account|workspace|team|company|"
                           r"clinic|patient|member|firm|school|employee|student|client|enterprise|guild|practice|community|"
                           r"household|institution|business|shop|merchant)"
                           r"(?:_?(?:id|name|slug|key))?$")  # fmt: skip
_ADDS: Final = re.compile(r"^a?_?(?:add|upsert|insert|index|ingest|store|upload)(?:_(?:documents?|texts?|points?|many|"
                          r"nodes?|records?|chunks?|batch))?$")  # fmt: skip
_METADATA: Final = re.compile(r"^(?:\w*meta\w*|payload|document|body|data)$")
_DEPTH: Final = 4
_INSERT: Final = re.compile(r"(?is)\binsert\s+into\s+([\w.]+)\s*\(([^()]*)\)")


def names_scope(name: str) -> bool:
    """Whether a key of a document's metadata, or a field of what a tool is handed, says whose it is."""
    return _SCOPE.match(name) is not None


def tagged_stores(view: FileView, function: Block) -> tuple[str, ...]:
    """The paths of the stores into which the function puts documents with their owner: `metadata={"user_id": user_id}`.

    Also where the dictionary is in a list, `metadatas=[{…}]`, or under a key, `{"payload": {…}}`; and the tables,
    as `table:notes`, into which it inserts rows with a column that says whose they are.
    """
    found: dict[str, None] = {}
    is_told = any(_says_whose(view, written, function) for written in function.nodes(ast.Dict, ast.Call))
    for call in function.nodes(ast.Call):
        insert = _INSERT.search(statement(view, call.args[0], function)) if call.args else None
        if insert is not None and any(names_scope(column.strip()) for column in insert[2].split(",")):
            found[f"table:{insert[1].lower()}"] = None
        # `memory.add(text, user_id=user_id)`
        named = any(names_scope(one.arg or "") and not isinstance(one.value, ast.Constant) for one in call.keywords)
        if not is_told and not named:
            continue
        if isinstance(call.func, ast.Attribute) and _ADDS.match(called_name(call)):
            path = store_path(view.access(call.func.value, function).path)
            if path and ":" not in path:
                found[path] = None
    return tuple(found)


def store_path(path: str) -> str:
    """The path of a store of which one part is told and another one is asked: `memos.data`, `memos.query`."""
    return path.removesuffix(".data").removesuffix(".query").removesuffix(".generate")


def statement(view: FileView, node: ast.expr, function: Block, depth: int = _DEPTH) -> str:
    """A constant statement: written here, in a local or in the module."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call() if node.args and depth:  # `text = text(text)`
            return statement(view, node.args[0], function, depth - 1)
        case ast.Name():
            bindings = function.scope.bindings.get(node.id) or view.module.scope.bindings.get(node.id, [])
            values = [one.value for one in bindings if one.value is not None]
            if len(values) == 1 and len(bindings) == 1 and not isinstance(values[0], ast.Name):
                return statement(view, values[0], function, depth)
    return ""


def _says_whose(view: FileView, written: ast.Dict | ast.Call, function: Block) -> bool:
    return any(
        names_scope(name) and isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
        for name, value in _items(written)
    ) and any(_is_metadata(view, one) for one in (written, *_uses(view, written, function)))  # fmt: skip


def _items(written: ast.Dict | ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What a mapping that is written down has under constant keys: `{"team": team}`, `dict(team=team)`."""
    if isinstance(written, ast.Dict):
        for key, value in zip(written.keys, written.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(written.func, ast.Name) and written.func.id == "dict":
        yield from ((one.arg, one.value) for one in written.keywords if one.arg)


def _uses(view: FileView, written: ast.expr, function: Block) -> Iterator[ast.expr]:
    """Where a local is used that was given the mapping and nothing else: `metadata=labels`."""
    around = view.module.parent(written)
    target = around.targets[0] if isinstance(around, ast.Assign) and around.value is written else None
    if isinstance(target, ast.Name) and len(function.scope.bindings.get(target.id, ())) == 1:
        yield from (one for one in function.nodes(ast.Name) if one.id == target.id and isinstance(one.ctx, ast.Load))


def _is_metadata(view: FileView, written: ast.expr) -> bool:
    around = view.module.parent(written)
    inner: ast.AST | None = written
    while isinstance(around, ast.List | ast.ListComp | ast.Tuple | ast.BinOp):
        around, inner = view.module.parent(around), around
    if isinstance(around, ast.Call) and _ADDS.match(called_name(around)):
        return True  # `index.upsert([(number, vector, {"user_id": user_id})])`
    name = around.arg if isinstance(around, ast.keyword) else ""
    if isinstance(around, ast.Dict):
        keys = [key for key, value in zip(around.keys, around.values, strict=True) if value is inner]
        name = next((str(key.value) for key in keys if isinstance(key, ast.Constant)), "")
    return _METADATA.match(name or "") is not None
